/**
 * Statements as plain functions, for the engines whose users bring such functions themselves (casbin's matcher functions,
 * CASL's lambda conditions). Whatever can be read before the clock starts is read: addresses are numbers, instants too.
 */
import { type Condition, patternOf, type Request } from './worlds.js';

export interface Facts {
  readonly urn: string;
  readonly path: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly ip: number;
  readonly time: number;
}

export type FactTest = (facts: Facts) => boolean;

export function factsOf({ resource, tags, ip, time }: Request): Facts {
  const path = resource.split(':').slice(4).join(':');
  return { urn: resource, path, tags, ip: numberOf(ip), time: Date.parse(time) };
}

function numberOf(ip: string): number {
  return ip.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function blockTest(block: string): (ip: number) => boolean {
  const [network = '', length = '32'] = block.split('/');
  const first = numberOf(network);
  const last = first + 2 ** (32 - Number(length)) - 1;
  return (ip) => ip >= first && ip <= last;
}

export function textTest(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true;
  if (!pattern.includes('*')) return (text) => text === pattern;
  const beginning = pattern.slice(0, -1);
  if (pattern.endsWith('*') && !beginning.includes('*')) return (text) => text.startsWith(beginning);
  const fits = patternOf(pattern);
  return (text) => fits.test(text);
}

export function resourceTest(pattern: string): FactTest {
  if (!pattern.includes('*')) return ({ urn }) => urn === pattern;
  // `service:*:*:type:beginning*`, as most are: the beginning tells more apart than a regular expression.
  const [service = '', region, account, type = '', path = ''] = pattern.split(':');
  const onPath = textTest(path);
  if (region !== '*' || (account !== '*' && account !== 'a1') || service.includes('*')) {
    const fits = patternOf(pattern);
    return ({ urn }) => fits.test(urn);
  }
  const beginning = `${service}:`;
  const middle = `:${type}:`;
  if (type === '*') return (facts) => onPath(facts.path) && facts.urn.startsWith(beginning);
  return (facts) =>
    onPath(facts.path) &&
    facts.urn.startsWith(beginning) &&
    facts.urn.startsWith(middle, facts.urn.length - facts.path.length - middle.length);
}

export function conditionTest(condition: Condition): FactTest {
  switch (condition.kind) {
    case 'tag': {
      const { key, values } = condition;
      const [only] = values;
      if (values.length === 1) return ({ tags }) => tags[key] === only;
      return ({ tags }) => values.includes(tags[key] ?? '');
    }
    case 'tagLike': {
      const { key } = condition;
      const fits = textTest(condition.pattern);
      return ({ tags }) => {
        const value = tags[key];
        return value !== undefined && fits(value);
      };
    }
    case 'ip': {
      const blocks = condition.blocks.map(blockTest);
      return ({ ip }) => blocks.some((lies) => lies(ip));
    }
    case 'notIp': {
      const lies = blockTest(condition.block);
      return ({ ip }) => !lies(ip);
    }
    case 'before': {
      const end = Date.parse(condition.instant);
      return ({ time }) => time < end;
    }
    case 'after': {
      const start = Date.parse(condition.instant);
      return ({ time }) => time > start;
    }
  }
}

/** All hold; null when there is nothing to ask. */
export function allTests(tests: readonly FactTest[]): FactTest | null {
  const [first, second] = tests;
  if (first === undefined) return null;
  if (second === undefined) return first;
  if (tests.length === 2) return (facts) => first(facts) && second(facts);
  return (facts) => tests.every((test) => test(facts));
}

/** Some holds; null when every resource is meant. */
export function resourcesTest(resources: readonly string[] | null): FactTest | null {
  if (resources === null) return null;
  const tests = resources.map(resourceTest);
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (facts) => tests.some((test) => test(facts));
}
