/**
 * The grammar of `Condition`: `{operator: {key: [values]}}`. Source: domain facts, sections a1 to a3.
 */
import { listedValueReads, typeNames } from './conditions.js';
import type { Condition } from './document.js';
import { type JsonMember, type JsonNode, pointerStep } from './json.js';
import { operatorNames, type OperatorUse, readOperator } from './operators.js';
import { didYouMean, quote } from './problems.js';
import { countCharacters, type Reading } from './reading.js';
import { readTemplate, templateText } from './templates.js';

/** Reads a `Condition`; null stands for a statement without one. Conditions come out in the order written. */
export function readConditions(reading: Reading, node: JsonNode | null, pointer: string): Condition[] {
  if (node === null) return [];
  if (node.kind !== 'object') {
    reading.report('WRONG_TYPE', '`Condition` is an object `{operator: {key: [values]}}`', pointer, node.at);
    return [];
  }
  const { operators } = reading.limits;
  const advice = 'split the statement';
  checkSize(reading, node.members, operators, 'IAM.1050', '`Condition`', 'operators', pointer, node.at, advice);
  return node.members.flatMap((member) => readOperatorMember(reading, member, pointer + pointerStep(member.name)));
}

function readOperatorMember(reading: Reading, { name, at, value }: JsonMember, pointer: string): Condition[] {
  const use = readOperator(name);
  if (use === null) reading.report('UNKNOWN_OPERATOR', unknownOperator(name), pointer, at);
  if (value.kind !== 'object') {
    reading.report('WRONG_TYPE', 'an operator holds an object `{key: [values]}`', pointer, value.at);
    return [];
  }
  const { keys } = reading.limits;
  checkSize(
    reading,
    value.members,
    keys,
    'IAM.1054',
    `operator ${quote(name)}`,
    'keys',
    pointer,
    value.at,
    'leave some out',
  );
  return value.members.map((member) => readKeyMember(reading, member, name, use, pointer + pointerStep(member.name)));
}

function readKeyMember(
  reading: Reading,
  { name: key, at, value }: JsonMember,
  operator: string,
  use: OperatorUse | null,
  pointer: string,
): Condition {
  // Simulated documents may use any key; elsewhere a key without its prefix is a slip that would never be present.
  if (key === '' || (!reading.anyForm && !/^[^:\s]+:[^:\s\u0000-\u001f][^\u0000-\u001f]*$/.test(key)))
    reading.report(
      'BAD_CONDITION_KEY',
      `condition key ${quote(key)} cannot be used; write \`prefix:name\``,
      pointer,
      at,
    );
  if (value.kind === 'string' && reading.loneStrings) {
    return { operator, key, values: [readValue(reading, value, use, pointer)] };
  }
  if (value.kind !== 'array') {
    const hint = value.kind === 'string' ? `; put ${quote(value.value)} in brackets` : '';
    reading.report('WRONG_TYPE', `condition values are written as an array of strings${hint}`, pointer, value.at);
    return { operator, key, values: [] };
  }
  if (value.items.length === 0)
    reading.report('EMPTY_VALUES', 'the list of values is empty; give at least one', pointer, value.at);
  const values = value.items.map((item, index) => readValue(reading, item, use, pointer + pointerStep(index)));
  return { operator, key, values };
}

function readValue(reading: Reading, node: JsonNode, use: OperatorUse | null, pointer: string): string {
  if (node.kind !== 'string') {
    const hint = 'source' in node ? `; write ${quote(`"${node.source}"`)}` : '';
    reading.report('WRONG_TYPE', `a condition value is a string${hint}`, pointer, node.at);
    return '';
  }
  const { value } = node;
  const length = countCharacters(value);
  const most = reading.limits.valueLength;
  if (length < 1 || length > most) {
    const message = `the value has ${length} characters, 1 to ${most} are allowed; use \`Null\` to ask for absence`;
    reading.report('IAM.1056', message, pointer, node.at);
    return value;
  }
  const { template, fault } = readTemplate(value);
  if (template === null) {
    reading.report('BAD_VARIABLE', `value ${quote(value)} cannot be read: ${fault}`, pointer, node.at);
  } else if (use !== null && !template.some((part) => part.kind === 'variable')) {
    // With a variable in it the type is known only when the request is.
    const { valueType } = use.operator;
    if (!listedValueReads(valueType, templateText(template))) {
      const message = `${quote(use.operator.name)} compares with ${typeNames[valueType]}, not with ${quote(value)}; write that`;
      reading.report('ILL_TYPED_VALUE', message, pointer, node.at);
    }
  }
  return value;
}

function unknownOperator(name: string): string {
  const bare = name.replace(/IfExists$/, '').replace(/^For(AnyValue|AllValues):/, '');
  const known = readOperator(bare);
  // The name is right and what stands around it is not: say that, rather than propose a neighbour.
  if (known !== null && bare !== name) {
    const { takesIfExists, takesPrefix } = known.operator;
    if (name.endsWith('IfExists') && !takesIfExists)
      return `operator ${quote(bare)} takes no \`IfExists\`; it asks for presence itself`;
    if (!takesPrefix) return `operator ${quote(bare)} takes no set prefix; write ${quote(bare)}`;
  }
  const near = didYouMean(name, operatorNames);
  return `operator ${quote(name)} does not exist${near === '' ? '; see the table of operators' : near}`;
}

function checkSize(
  reading: Reading,
  members: readonly JsonMember[],
  most: number,
  code: 'IAM.1050' | 'IAM.1054',
  owner: string,
  what: string,
  pointer: string,
  at: number | null,
  advice: string,
): void {
  const count = members.length;
  if (count >= 1 && count <= most) return;
  const message =
    count === 0
      ? `${owner} is empty; give 1 to ${most} ${what}, or leave it out`
      : `${owner} has ${count} ${what}, at most ${most} are allowed; ${advice}`;
  reading.report(code, message, pointer, at);
}
