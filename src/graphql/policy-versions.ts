/** Versions of a policy as they are shown: immutable documents, one of them in use. How they change: policy-version-changes.ts. */
import {
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  documentOf,
  reviewDocument,
  type Call,
  type Instant,
  type Policy as PolicyRecord,
  type PolicyVersion as PolicyVersionRecord,
  type User as UserRecord,
} from '../iam/index.js';
import type { Problem, Statement } from '../policy/index.js';
import { connectionOf, PageArguments } from './connections.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { OrderDirections, type OrderDirection } from './ordering.js';
import { PolicyProblem, PolicyStatement } from './policy-documents.js';
import { DateTime, JsonValue } from './scalars.js';
import { User } from './users.js';

const PolicyVersionOrderFields = { NUMBER: 'NUMBER' } as const;

registerEnumType(PolicyVersionOrderFields, {
  name: 'PolicyVersionOrderField',
  description: 'Value that a list of policy versions is ordered by.',
  valuesConfig: { NUMBER: { description: 'Number of the version.' } },
});

@ObjectType({ description: 'Version of a policy. It never changes.', simpleResolvers: true })
export class PolicyVersion {
  @Field(() => Int, { description: 'Number of the version within its policy; never used again.' })
  number!: number;

  @Field(() => JsonValue, { nullable: true, description: 'Document of the version; null should it be unreadable.' })
  document!: unknown;

  @Field(() => String, { description: 'Document of the version as it was given, byte for byte.' })
  documentText!: string;

  @Field(() => [PolicyStatement], {
    nullable: true,
    description: 'Statements of the version in parsed form; null should the document be unreadable.',
  })
  statements!: readonly Statement[] | null;

  @Field(() => [PolicyProblem], {
    description: 'Warnings about the document, and what has become an error as the catalogue changed.',
  })
  warnings!: readonly Problem[];

  @Field(() => Boolean, { description: 'Indicates that the version is the one in use.' })
  isDefault!: boolean;

  @Field(() => DateTime, { description: 'Timestamp of when the version was created.' })
  createdAt!: Instant;
}

export const PolicyVersionConnection = connectionOf('PolicyVersion', () => PolicyVersion, {
  item: 'version',
  items: 'versions',
});

@InputType({ description: 'Order of a list of policy versions.' })
class PolicyVersionOrderInput {
  @Field(() => PolicyVersionOrderFields, { description: 'Value that the versions are ordered by.' })
  field!: keyof typeof PolicyVersionOrderFields;

  @Field(() => OrderDirections, { description: 'Direction of the order.' })
  direction!: OrderDirection;
}

@ArgsType()
export class PolicyVersionListArguments extends PageArguments {
  @Field(() => PolicyVersionOrderInput, {
    nullable: true,
    description: 'Order of the list; newest first unless given.',
  })
  orderBy?: PolicyVersionOrderInput | null;
}

@Resolver(() => PolicyVersion)
export class PolicyVersionResolver {
  @Permission({ anyOf: ['iam:users:getUser', 'iam:users:listUsers'], scope: 'ANY' })
  @FieldResolver(() => User, {
    nullable: true,
    description: 'User who created the version; null when it was somebody else or the user is gone or invisible.',
  })
  createdBy(@Root() version: StoredVersion, @Ctx() { loaders }: GraphContext): Promise<UserRecord | null> {
    return loaders.find('user', version.creatorId);
  }
}

/** A stored version as it is shown. What its text says is read when it is asked for: a list may want the numbers only. */
export class StoredVersion implements PolicyVersion {
  readonly #call: Call;
  readonly #policy: PolicyRecord;
  readonly #version: PolicyVersionRecord;

  constructor(call: Call, policy: PolicyRecord, version: PolicyVersionRecord) {
    this.#call = call;
    this.#policy = policy;
    this.#version = version;
  }

  get number(): number {
    return this.#version.number;
  }

  get createdAt(): Instant {
    return this.#version.createdAt;
  }

  get creatorId(): string {
    return this.#version.createdBy;
  }

  get isDefault(): boolean {
    return this.#version.number === this.#policy.defaultVersion;
  }

  get documentText(): string {
    return this.#version.text;
  }

  get document(): unknown {
    return documentOf(this.#version.text) === null ? null : (JSON.parse(this.#version.text) as unknown);
  }

  get statements(): readonly Statement[] | null {
    return documentOf(this.#version.text)?.statements ?? null;
  }

  get warnings(): readonly Problem[] {
    return reviewDocument(this.#call, this.#version.text, this.#policy.origin);
  }
}

export async function versionOf(
  { call, loaders }: GraphContext,
  policy: PolicyRecord,
  number: number,
): Promise<StoredVersion | null> {
  const version = await loaders.find('policyVersion', `${policy.id}.${number}`);
  return version === null ? null : new StoredVersion(call, policy, version);
}
