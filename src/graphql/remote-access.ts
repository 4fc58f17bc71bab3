/** Remote access to notebooks by SSH: who gets in with which key pairs, from where, and how the instance is doing. */
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  configureRemoteAccess,
  instanceStates,
  maySeeRemoteAccess,
  quotas,
  reportInstanceState,
  sshConfig,
  usualUserName,
  type Instant,
  type InstanceState,
  type KeyPair as KeyPairRecord,
  type RemoteAccess as RemoteAccessRecord,
  type RemoteAccessChange,
  type Resource as ResourceRecord,
} from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';
import { answer, type PayloadFrame } from './errors.js';
import { changesOf, MutationInput, UpdateInput } from './inputs.js';
import { KeyPair, shownKeyPair, type ShownKeyPair } from './key-pairs.js';
import { decodeId, decodeIds, longestIdList } from './node-ids.js';
import { MutationPayload } from './payloads.js';
import { Resource } from './resources.js';
import { DateTime } from './scalars.js';

const InstanceStates = Object.fromEntries(instanceStates.map((state) => [state, state])) as {
  readonly [State in InstanceState]: State;
};

registerEnumType(InstanceStates, {
  name: 'InstanceState',
  description: 'State of the instance behind a notebook. Only a running one takes connections.',
  valuesConfig: {
    CREATE_FAILED: { description: 'It could not be created.' },
    CREATING: { description: 'It is being created.' },
    DELETED: { description: 'It was deleted.' },
    DELETE_FAILED: { description: 'It could not be deleted.' },
    DELETING: { description: 'It is being deleted.' },
    ERROR: { description: 'Something is wrong with it.' },
    FROZEN: { description: 'It is frozen, for want of payment for instance.' },
    INIT: { description: 'It was asked for.' },
    RUNNING: { description: 'It runs, and takes connections.' },
    SNAPSHOTTING: { description: 'An image of it is being saved.' },
    STARTING: { description: 'It is starting.' },
    START_FAILED: { description: 'It could not be started.' },
    STOPPED: { description: 'It is stopped.' },
    STOPPING: { description: 'It is stopping.' },
  },
});

@Permission({ action: 'modelarts:notebook:get', resource: '{source.urn}', scope: 'WORKSPACE' })
@ObjectType({
  description: 'How a notebook is reached by SSH. Closed until somebody opens it. Needs `modelarts:notebook:get`.',
  simpleResolvers: true,
})
export class RemoteAccess {
  @Field(() => String, { description: 'URN of the notebook, its name in policies.' })
  urn!: string;

  @Field(() => Boolean, { description: 'Indicates that it is open, as far as everything else allows.' })
  enabled!: boolean;

  @Field(() => [String], { description: 'Addresses and CIDR blocks that connections may come from.' })
  allowedAddresses!: readonly string[];

  @Field(() => Boolean, { description: 'Indicates that connections may come from anywhere, by choice.' })
  allowAnyAddress!: boolean;

  @Field(() => String, { description: 'Name that people log in by.' })
  userName!: string;

  @Field(() => Int, { nullable: true, description: 'Port to connect to; null when it is not known, or the usual one.' })
  port!: number | null;

  @Field(() => InstanceStates, {
    nullable: true,
    description: 'State of the instance as it was reported last; null when it never was, which takes no connections.',
  })
  instanceState!: InstanceState | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Timestamp of when the state was reported; null when it never was.',
  })
  stateReportedAt!: Instant | null;

  @Field(() => Int, { description: 'Version of the remote access for `expectedVersion`.' })
  version!: number;

  @Field(() => DateTime, { description: 'Timestamp of when it was last changed.' })
  updatedAt!: Instant;
}

type ShownRemoteAccess = RemoteAccessRecord & Pick<RemoteAccess, 'urn'>;

function shownChange({ resource, remoteAccess }: RemoteAccessChange) {
  return { resource, remoteAccess: { ...remoteAccess, urn: resource.urn } };
}

@InputType({ description: 'Input of configureRemoteAccess; what is absent stays as it is.' })
class ConfigureRemoteAccessInput extends UpdateInput {
  @Field(() => ID, { description: 'Identifier of the notebook, a resource.' })
  resourceId!: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates that it is open. Needs a key pair, and addresses or the choice of any.',
  })
  enabled?: boolean | null;

  @Field(() => [ID], {
    nullable: true,
    description: `Identifiers of all key pairs of the caller that may get in from now on; those of others stay. At most ${quotas.keyPairsPerNotebook} for a notebook.`,
  })
  keyPairIds?: readonly string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates that the key pairs of everybody else are taken out.',
  })
  removeOthers?: boolean | null;

  @Field(() => [String], {
    nullable: true,
    description: `All addresses and CIDR blocks, of IPv4 or IPv6, that connections may come from; at most ${quotas.allowedAddresses}. An empty list lets nobody in.`,
  })
  allowedAddresses?: readonly string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Indicates that connections may come from anywhere; takes the place of the list.',
  })
  allowAnyAddress?: boolean | null;

  @Field(() => String, { nullable: true, description: `Name that people log in by; null is \`${usualUserName}\`.` })
  userName?: string | null;

  @Field(() => String, { nullable: true, description: 'Host or address to connect to; null is not known.' })
  host?: string | null;

  @Field(() => Int, { nullable: true, description: 'Port to connect to; null is the usual one.' })
  port?: number | null;
}

@ObjectType({ description: 'Payload of configureRemoteAccess.', simpleResolvers: true })
class ConfigureRemoteAccessPayload extends MutationPayload {
  @Field(() => RemoteAccess, { nullable: true, description: 'Remote access as it is now.' })
  remoteAccess?: ShownRemoteAccess | null;

  @Field(() => Resource, { nullable: true, description: 'Notebook whose remote access was configured.' })
  resource?: ResourceRecord | null;
}

@InputType({ description: 'Input of reportInstanceState.' })
class ReportInstanceStateInput extends MutationInput {
  @Field(() => ID, { description: 'Identifier of the notebook, a resource.' })
  resourceId!: string;

  @Field(() => InstanceStates, { description: 'State of its instance now.' })
  state!: InstanceState;
}

@ObjectType({ description: 'Payload of reportInstanceState.', simpleResolvers: true })
class ReportInstanceStatePayload extends MutationPayload {
  @Field(() => RemoteAccess, { nullable: true, description: 'Remote access as it is now.' })
  remoteAccess?: ShownRemoteAccess | null;

  @Field(() => Resource, { nullable: true, description: 'Notebook whose state was reported.' })
  resource?: ResourceRecord | null;
}

@Resolver(() => RemoteAccess)
export class RemoteAccessResolver {
  @Permission({ action: 'modelarts:notebook:update', scope: 'WORKSPACE' })
  @Mutation(() => ConfigureRemoteAccessPayload, {
    nullable: true,
    description:
      'Says how a notebook is reached by SSH: with which key pairs of one’s own, and from which addresses. Connections that are open stay so. Needs `modelarts:notebook:update`, and `modelarts:notebook:access` to bring key pairs.',
  })
  async configureRemoteAccess(
    @Arg('input', () => ConfigureRemoteAccessInput, { description: 'Input of the mutation.' })
    input: ConfigureRemoteAccessInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const {
      clientMutationId: _,
      resourceId,
      keyPairIds,
      ...others
    } = changesOf(input, {
      userName: usualUserName,
      host: '',
      port: null,
    });
    const wanted = {
      ...others,
      host: others.host === '' ? null : others.host,
      resourceId: decodeId('Resource', resourceId),
      keyPairIds: keyPairIds == null ? keyPairIds : decodeIds('KeyPair', keyPairIds, longestIdList),
    };
    const outcome = await configureRemoteAccess(context.iam, context.call, wanted);
    return answer(context, input, outcome, shownChange);
  }

  @Permission({ action: 'modelarts:notebook:update', scope: 'WORKSPACE' })
  @Mutation(() => ReportInstanceStatePayload, {
    nullable: true,
    description:
      'Reports how the instance behind a notebook is doing; for who registered the notebook. Needs `modelarts:notebook:update`.',
  })
  async reportInstanceState(
    @Arg('input', () => ReportInstanceStateInput, { description: 'Input of the mutation.' })
    input: ReportInstanceStateInput,
    @Ctx() context: GraphContext,
  ): Promise<PayloadFrame> {
    const { resourceId, state } = input;
    const outcome = await reportInstanceState(context.iam, context.call, {
      resourceId: decodeId('Resource', resourceId),
      state,
    });
    return answer(context, input, outcome, shownChange);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Host or address to connect to; null when it is not known.',
  })
  host(@Root() { host }: RemoteAccessRecord): string | null {
    return host === '' ? null : host;
  }

  @FieldResolver(() => Int, {
    description: 'Number of key pairs that may get in while their users may, whether or not the caller may read them.',
  })
  async keyPairCount(@Root() remoteAccess: RemoteAccessRecord, @Ctx() context: GraphContext): Promise<number> {
    return (await pairsOf(remoteAccess, context)).length;
  }

  @FieldResolver(() => [KeyPair], {
    nullable: 'itemsAndList',
    description: 'Key pairs that may get in while their users may; null for those that the caller may not read.',
  })
  async keyPairs(
    @Root() remoteAccess: RemoteAccessRecord,
    @Ctx() context: GraphContext,
  ): Promise<readonly ShownKeyPair[]> {
    return (await pairsOf(remoteAccess, context)).map(shownKeyPair);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Piece of `~/.ssh/config` for the caller, with those of their key pairs that may get in; null when the host is not known.',
  })
  async sshConfig(@Root() remoteAccess: RemoteAccessRecord, @Ctx() context: GraphContext): Promise<string | null> {
    const resource = await context.loaders.find('resource', remoteAccess.id);
    if (resource === null) return null;
    const pairs = await pairsOf(remoteAccess, context);
    return sshConfig(
      resource,
      remoteAccess,
      pairs.filter(({ userId }) => userId === context.call.principal.id),
    );
  }
}

@Resolver(() => Resource)
export class ResourceRemoteAccessResolver {
  @Permission({ action: 'modelarts:notebook:get', resource: '{source.urn}', scope: 'WORKSPACE' })
  @FieldResolver(() => RemoteAccess, {
    nullable: true,
    description:
      'How the notebook is reached by SSH; null when that was never configured, or it is no notebook. Needs `modelarts:notebook:get`.',
  })
  async remoteAccess(
    @Root() resource: ResourceRecord,
    @Ctx() { call, loaders }: GraphContext,
  ): Promise<ShownRemoteAccess | null> {
    const record = maySeeRemoteAccess(call, resource) ? await loaders.find('remoteAccess', resource.id) : null;
    return record === null ? null : { ...record, urn: resource.urn };
  }
}

/** The pairs that are still there, and that this scope shows. */
async function pairsOf(
  { keyPairIds }: RemoteAccessRecord,
  { loaders }: GraphContext,
): Promise<readonly KeyPairRecord[]> {
  const pairs = await Promise.all(keyPairIds.map((id) => loaders.find('keyPair', id)));
  return pairs.filter((pair) => pair !== null);
}
