/** What a policy document says, in parsed form: statements, conditions, and the problems found in it. */
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Problem } from '../policy/index.js';

export const PolicyEffects = { ALLOW: 'ALLOW', DENY: 'DENY' } as const;

export type PolicyEffect = keyof typeof PolicyEffects;

registerEnumType(PolicyEffects, {
  name: 'PolicyEffect',
  description: 'Effect of a statement that matches.',
  valuesConfig: {
    ALLOW: { description: 'Allows, unless some statement denies.' },
    DENY: { description: 'Denies, whatever else allows.' },
  },
});

const ProblemSeverities = { ERROR: 'ERROR', WARNING: 'WARNING' } as const;

registerEnumType(ProblemSeverities, {
  name: 'PolicyProblemSeverity',
  description: 'Severity of a problem of a policy document.',
  valuesConfig: {
    ERROR: { description: 'Problem with which the document could not be saved.' },
    WARNING: { description: 'Remark about what may surprise.' },
  },
});

export const documentDescription =
  'Document of the policy: an object, or a string that holds JSON text, which is stored byte for byte.';

@ObjectType({ description: 'Condition of a statement: one operator on one key.', simpleResolvers: true })
class PolicyCondition {
  @Field(() => String, { description: 'Operator of the condition, for instance `StringEquals`.' })
  operator!: string;

  @Field(() => String, { description: 'Key of the condition, for instance `g:UserName`.' })
  key!: string;

  @Field(() => [String], { description: 'Values of the condition, variables such as `${g:UserName}` as written.' })
  values!: readonly string[];
}

@ObjectType({ description: 'Statement of a policy document in parsed form.', simpleResolvers: true })
export class PolicyStatement {
  @Field(() => Int, { description: 'Place of the statement in the document, counted from 0.' })
  index!: number;

  @Field(() => String, { nullable: true, description: 'Name of the statement, `Sid` in the document.' })
  sid!: string | null;

  @Field(() => PolicyEffects, { description: 'Effect of the statement.' })
  effect!: PolicyEffect;

  @Field(() => [String], { description: 'Actions or patterns of the statement; empty when `notActions` is given.' })
  actions!: readonly string[];

  @Field(() => [String], {
    nullable: true,
    description: 'Actions or patterns that the statement leaves out; null when it names `actions`.',
  })
  notActions!: readonly string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Patterns of the resources that the statement is about; null when it is about all.',
  })
  resources!: readonly string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Patterns of the resources that the statement leaves out; null when it leaves out none.',
  })
  notResources!: readonly string[] | null;

  @Field(() => [PolicyCondition], { description: 'Conditions of the statement; all of them must hold.' })
  conditions!: readonly PolicyCondition[];
}

@ObjectType({ description: 'Problem found in a policy document, with its place.', simpleResolvers: true })
export class PolicyProblem implements Problem {
  @Field(() => String, { description: 'Code of the problem, for instance `IAM.1036`.' })
  code!: string;

  @Field(() => ProblemSeverities, { description: 'Severity of the problem.' })
  severity!: Problem['severity'];

  @Field(() => String, { description: 'Message of the problem; says what to do next.' })
  message!: string;

  @Field(() => String, { description: 'JSON pointer of the place (RFC 6901).' })
  pointer!: string;

  @Field(() => Int, { nullable: true, description: 'Line of the place, counted from 1; null when there is no text.' })
  line!: number | null;

  @Field(() => Int, { nullable: true, description: 'Column of the place, counted from 1; null when there is no text.' })
  column!: number | null;
}
