/** Where the chain of audit events ends, signed, for whoever keeps it elsewhere. */
import { Ctx, Field, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { auditHead, type SignedHead } from '../iam/index.js';
import type { GraphContext } from './context.js';
import { Permission } from './directives.js';

@ObjectType({
  description:
    'Head of the audit trail: where the chain of the account’s audit events ends, signed with the key of the installation. Kept elsewhere, as it is answered, it tells later whether everything up to it is still what it was.',
  simpleResolvers: true,
})
class AuditHead {
  @Field(() => String, { description: 'Format of the head, which says what is signed: `bailiwick audit head 1`.' })
  format!: string;

  @Field(() => String, { description: 'Plain identifier of the account.' })
  account!: string;

  @Field(() => Int, { description: 'Number of audit events in the chain; 0: none.' })
  position!: number;

  @Field(() => String, { description: 'Hash of the last event and all before it (SHA-256), in hexadecimal digits.' })
  hash!: string;

  // Text rather than a timestamp: it is signed letter by letter.
  @Field(() => String, { description: 'Timestamp of when the head was made, for instance `2030-01-31T08:00:00.000Z`.' })
  at!: string;

  @Field(() => String, { description: 'Public key of the installation (Ed25519), in base64url.' })
  publicKey!: string;

  @Field(() => String, { description: 'Signature of the head (Ed25519), in base64url.' })
  signature!: string;
}

@Resolver()
export class AuditHeadResolver {
  @Permission({ action: 'bailiwick:audit:getHead', scope: 'ACCOUNT' })
  @Query(() => AuditHead, {
    nullable: true,
    description:
      'Head of the account’s audit trail, changes inside workspaces included, to be kept and given to `bailiwick audit verify`. Needs `bailiwick:audit:getHead`.',
  })
  auditHead(@Ctx() { iam, call }: GraphContext): Promise<SignedHead> {
    return auditHead(iam, call);
  }
}
