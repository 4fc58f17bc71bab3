/**
 * Generated policies and requests for the fuzz: few names and short patterns, so that what is compared does meet, and every
 * operator, prefix and oddity of the grammar. Quick: a number is drawn by a few multiplications, nothing is shrunk.
 */
import {
  buildContext,
  operators,
  parsePolicy,
  type Condition,
  type PolicyDocument,
  type PolicyRequest,
  type PolicySource,
  type Statement,
} from '../../src/policy/index.js';
import { Dice } from '../replay/random.js';

export class Draw extends Dice {
  one<T>(from: readonly T[]): T {
    return this.pick(from);
  }

  list<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

const services = ['modelarts', 'obs', 'OBS', 'mod'];
const types = ['notebook', 'pool', 'bucket', ''];
const operations = ['get', 'create', 'delete', 'getAll'];
const texts = ['a', 'ab', 'abc', 'b', 'alice', 'alice/x', 'bob/x', 'a:b', 'x', '*', '?', '', 'team1-7', 'team2-7', '😀', 'a😀b', '\ud83d', 'ſ', 'Σ']; // prettier-ignore
const patterns = ['a', 'a*', '*', '?', '??', 'a?c', '*b', '*a*b*', 'a*b', 'alice/*', '*/x', 'team1-*', 'team2-*', '?*', 'a:*', '😀*', '*😀?', '\ud83d*', '', '**', 'ab*bc']; // prettier-ignore
const openPatterns = ['${g:UserName}/*', "${g:UserName, 'bob'}/x", '${g:Team}', 'team${g:Number}-*', '${*}', 'a${?}', '${g:UserName}*${g:Team}', '*${g:UserName}', '${g:userNAME}']; // prettier-ignore
const keys = ['g:UserName', 'g:username', 'g:Team', 'g:Number', 'obs:prefix', 'g:ResourceTag/team', 'g:MFAAge', 'g:SourceIp', 'g:CurrentTime', 'g:MFAPresent']; // prettier-ignore

const valuesOf: Readonly<Record<string, readonly string[]>> = {
  string: ['alice', 'bob', 'a', 'A', 'ALICE', 'a*', 'x', 't1', 't2', 't3', 't4', 't5', '', '😀', 'ſ', 's', 'Σ', 'ς', '${g:UserName}', "${g:Team, 't1'}", '${g:Number}'], // prettier-ignore
  number: ['5', '7.5', '-3', '007', '7.50', '9007199254740993', '9007199254740992', '-0', '0', '5e3', '12345678901234567890', ' 5', '${g:Number}'], // prettier-ignore
  date: ['2026-01-01T00:00:00Z', '2026-01-31T23:59:59Z', '2026-01-31', '2026-02-29', '2024-02-29T12:00:00Z', '2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00.5Z', '0999-01-01T00:00:00Z', '2026-13-01', 'soon'], // prettier-ignore
  boolean: ['true', 'false', 'True', 'FALSE', 'yes', ''],
  ip: ['10.0.0.0/8', '10.1.2.3', '192.0.2.0/24', '0.0.0.0/0', '::/0', '::ffff:10.1.2.0/120', '2001:db8::/32', '10.1.2.03', '300.1.1.1', '${g:SourceIp}'], // prettier-ignore
};
const given: Readonly<Record<string, readonly string[]>> = {
  'g:mfaage': ['3', '5', '7.5', '7.50', '-3', '9007199254740992', '9007199254740993', 'old', '-0'],
  'g:sourceip': [
    '10.1.2.3',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '2001:db8::1',
    '10.1.256.3',
    '10.1.2.03',
    'nowhere',
    '::1',
  ],
  'g:currenttime': ['2026-01-01T00:00:00Z', '2026-01-31T23:59:59Z', '2025-12-31T23:59:60Z', '2026-01-31T00:00:00Z', '2026-01-01T00:00:00.500Z', '2026-01-01', '2024-02-29T12:00:00Z', 'now'], // prettier-ignore
  'g:mfapresent': ['true', 'false', 'True', 'perhaps'],
  'g:number': ['1', '2', '7'],
};
const wellTyped: Readonly<Record<string, string>> = { 'g:MFAAge': 'number', 'g:SourceIp': 'ip', 'g:CurrentTime': 'date', 'g:MFAPresent': 'boolean' }; // prettier-ignore
const names = [...operators.map(({ name }) => name)];

export interface World {
  readonly sources: readonly PolicySource<number>[];
  readonly requests: readonly PolicyRequest[];
}

/** One world in a hundred is large enough for every index; most are small, since the reference form walks them all. */
export function drawWorld(draw: Draw): World {
  const size = draw.next();
  const wanted = size < 0.8 ? 1 + draw.below(12) : size < 0.99 ? 20 + draw.below(60) : 150 + draw.below(200);
  // A world about one action, told apart by little, is what indexes are for.
  const narrow = draw.chance(0.4) ? drawAction(draw) : null;
  const each = 1 + draw.below(wanted > 12 ? 8 : 3);
  const sources = draw.list(Math.ceil(wanted / each), () => draw.chance(0.05)).map((parsed, origin) => ({
    name: `p${origin}`,
    document: (parsed ? drawParsed(draw) : null) ?? drawDocument(draw, each, narrow),
    origin,
  })); // prettier-ignore
  return { sources, requests: draw.list(wanted > 100 ? 40 : 12, () => drawRequest(draw, narrow)) };
}

function drawDocument(draw: Draw, count: number, narrow: string | null): PolicyDocument {
  const statements = draw.list(count, () => drawStatement(draw, narrow));
  return { version: '5.0', statements: statements.map((one, index) => ({ ...one, index })), depends: [] };
}

function drawStatement(draw: Draw, narrow: string | null): Statement {
  const list = <T>(make: () => T): T[] => draw.list(draw.chance(0.7) ? 1 : 1 + draw.below(3), make);
  const negative = draw.chance(0.08);
  const actions = list(() => (narrow !== null && draw.chance(0.8) ? narrow : drawActionPattern(draw)));
  const onResource = draw.next();
  const resources = onResource < 0.35 ? null : list(() => drawResourcePattern(draw));
  const excepts = resources !== null && onResource > 0.92;
  return {
    index: 0,
    sid: null,
    effect: draw.chance(0.3) ? 'DENY' : 'ALLOW',
    actions: negative ? [] : actions,
    notActions: negative ? actions : null,
    resources: excepts ? null : resources,
    notResources: excepts ? resources : null,
    conditions: draw.list(draw.chance(0.45) ? 0 : 1 + draw.below(3), () => drawCondition(draw)),
  };
}

function drawCondition(draw: Draw): Condition {
  if (draw.chance(0.35)) {
    return { operator: 'StringEquals', key: 'g:ResourceTag/team', values: draw.list(1 + draw.below(2), () => `t${draw.below(40)}`) }; // prettier-ignore
  }
  const key = draw.one(keys);
  const typed = wellTyped[key];
  const fitting = operators.filter(({ valueType }) => valueType === (typed ?? 'string'));
  const name = draw.chance(0.8) ? draw.one(fitting).name : draw.one(names);
  const type = operators.find((operator) => operator.name === name)?.valueType ?? 'string';
  const prefix = draw.chance(0.15) ? draw.one(['ForAnyValue:', 'ForAllValues:']) : '';
  const operator = draw.chance(0.02) ? 'NotAnOperator' : `${prefix}${name}${draw.chance(0.15) ? 'IfExists' : ''}`;
  const values = valuesOf[draw.chance(0.97) ? type : 'string'] ?? [];
  // Mostly what can be read: one value that cannot makes the whole condition false.
  const from = draw.chance(0.7) ? values.slice(0, 5) : values;
  return { operator, key, values: draw.list(draw.chance(0.6) ? 1 : 1 + draw.below(4), () => draw.one(from)) };
}

function drawAction(draw: Draw): string {
  return `${draw.one(services)}:${draw.one(types)}:${draw.one(operations)}`;
}

function drawActionPattern(draw: Draw): string {
  const form = draw.next();
  if (form < 0.05) return draw.one(['*', '*:*:*', '**', 's3:*', '*:*', 'a:b:c:*']);
  if (form < 0.4) return drawAction(draw);
  const service = draw.one([...services, '*', 'mod*', 'o?s']);
  return `${service}:${draw.one([...types, '*', '?o*', 'NOTE*'])}:${draw.one([...operations, '*', 'get*', '*e', 'GET', 'ge?'])}`;
}

function drawResource(draw: Draw): string {
  if (draw.chance(0.02)) return draw.one(['*', 'obs', 'obs:eu:acc:bucket', 'İ:::x:a', '::::']);
  const place = `${draw.one(['eu', '', 'us'])}:${draw.one(['acc', '', 'abc'])}`;
  return `${draw.one(services)}:${place}:${draw.one(['bucket', 'notebook', ''])}:${draw.one(texts)}`;
}

function drawResourcePattern(draw: Draw): string {
  if (draw.chance(0.06)) return draw.one(['*', '*:*:*:*:*', '::::', 'obs:::bucket:${', '?:::bucket:a', 'obs:::bucket']);
  const place = `${draw.one(['eu', '', '*', 'e?', '${g:Team}'])}:${draw.one(['', '*', 'a?c', 'acc'])}`;
  const path = draw.chance(0.25) ? draw.one(openPatterns) : draw.one(patterns);
  return `${draw.one([...services, '*', 'o*', ''])}:${place}:${draw.one(['bucket', 'notebook', '*', '', 'n*k'])}:${path}`;
}

function drawRequest(draw: Draw, narrow: string | null): PolicyRequest {
  const entries: [string, string[]][] = [];
  const say = (key: string, share: number, values: readonly string[]): void => {
    if (!draw.chance(share)) return;
    entries.push([key, draw.list(draw.chance(0.9) ? 1 : draw.below(4), () => draw.one(values))]);
  };
  say('g:UserName', 0.8, texts);
  say('g:Team', 0.5, ['t1', 't2', 'x', 'a*', '']);
  say('obs:prefix', 0.6, valuesOf['string'] ?? []);
  say(
    'g:ResourceTag/team',
    0.7,
    draw.list(3, () => `t${draw.below(40)}`),
  );
  for (const [key, values] of Object.entries(given)) say(key, 0.7, draw.chance(0.7) ? values.slice(0, 3) : values);
  const action = draw.chance(0.01) ? draw.one(['obs:*:get', '', '*']) : narrow !== null && draw.chance(0.8) ? narrow : drawAction(draw); // prettier-ignore
  return {
    action,
    ...(draw.chance(0.2) ? { aliases: draw.list(1 + draw.below(2), () => drawAction(draw)) } : {}),
    resource: draw.chance(0.12) ? null : drawResource(draw),
    context: buildContext(entries),
  };
}

/** By way of text and grammar; null when the grammar refuses it. */
function drawParsed(draw: Draw): PolicyDocument | null {
  const statements = draw.list(1 + draw.below(3), () => {
    const { effect, actions, resources, conditions } = drawStatement(draw, null);
    const condition: Record<string, Record<string, readonly string[]>> = {};
    for (const { operator, key, values } of conditions) (condition[operator] ??= {})[key] = values;
    return {
      Effect: effect === 'ALLOW' ? 'Allow' : 'Deny',
      Action: actions.length === 0 ? ['obs:bucket:get'] : actions,
      ...(resources === null ? {} : { Resource: resources }),
      ...(conditions.length === 0 ? {} : { Condition: condition }),
    };
  });
  return parsePolicy(JSON.stringify({ Version: '5.0', Statement: statements }), 'ANY').document;
}
