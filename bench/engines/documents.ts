/** Policies and requests as documents of the IAM kind, which our engine and pbac read alike. */
import { type Condition, type Policy, type Request, type Statement } from './worlds.js';

export interface StatementDocument {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface Document {
  readonly Version: string;
  readonly Statement: readonly StatementDocument[];
}

export function documentOf(policy: Policy): Document {
  return { Version: '5.0', Statement: policy.statements.map(statementDocument) };
}

function statementDocument({ effect, actions, resources, conditions }: Statement): StatementDocument {
  return {
    Effect: effect,
    Action: actions,
    ...(resources === null ? {} : { Resource: resources }),
    ...(conditions.length === 0 ? {} : { Condition: Object.fromEntries(conditions.map(conditionEntry)) }),
  };
}

function conditionEntry(condition: Condition): [operator: string, keys: Record<string, readonly string[]>] {
  switch (condition.kind) {
    case 'tag':
      return ['StringEquals', { [`g:ResourceTag/${condition.key}`]: condition.values }];
    case 'tagLike':
      return ['StringLike', { [`g:ResourceTag/${condition.key}`]: [condition.pattern] }];
    case 'ip':
      return ['IpAddress', { 'g:SourceIp': condition.blocks }];
    case 'notIp':
      return ['NotIpAddress', { 'g:SourceIp': [condition.block] }];
    case 'before':
      return ['DateLessThan', { 'g:CurrentTime': [condition.instant] }];
    case 'after':
      return ['DateGreaterThan', { 'g:CurrentTime': [condition.instant] }];
  }
}

/** Keys with their values, as such documents name them. */
export function contextEntries({ user, tags, ip, time }: Request): [key: string, value: string][] {
  return [
    ['g:CurrentTime', time],
    ['g:UserId', `u${user}`],
    ['g:SourceIp', ip],
    ...Object.entries(tags).map(([key, value]): [string, string] => [`g:ResourceTag/${key}`, value]),
  ];
}
