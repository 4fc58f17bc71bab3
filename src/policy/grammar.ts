/**
 * The grammar: from text or a parsed value to a document, or to every reason why not.
 *
 * Parsing and checking are one walk over a tree with places, done when a document is written; at request time only
 * documents that passed are evaluated. Each fault is reported at its own place and the walk goes on, so that an author
 * sees all of them at once. Whether actions and keys exist is the catalogue's business, not the grammar's.
 * Sources: domain facts, sections a1 (limits, codes) and a5 (version 5.0).
 */
import { readConditions } from './condition-grammar.js';
import {
  type PolicyDependency,
  type PolicyDialect,
  type PolicyDocument,
  policyLimits,
  type PolicyLimits,
  type PolicyVersion,
  type Statement,
} from './document.js';
import {
  findJsonNode,
  indexLines,
  type JsonNode,
  type JsonObject,
  type JsonReading,
  pointerStep,
  printCompactJson,
  readJsonText,
  readJsonValue,
} from './json.js';
import { type Problem, quote } from './problems.js';
import { checkCount, countCharacters, findMember, type Reading, refuseUnknown } from './reading.js';
import { readActions, readResources } from './statement-grammar.js';

export interface ParsedPolicy {
  /** Null iff some problem is an ERROR. */
  readonly document: PolicyDocument | null;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
  /** Where the value that an RFC 6901 pointer names begins; null when there is none or the input was not text. */
  readonly locate: (pointer: string) => { line: number; column: number } | null;
  /** The input, when it was text: what is stored beside the parsed form, byte for byte. */
  readonly text: string | null;
}

/** Text longer than this many times the limit is refused unread: its other faults do not matter any more. */
const unreadFactor = 4;

/**
 * Reads a policy document. A string is taken as JSON text and its faults are located; anything else as a value that
 * somebody parsed, in which repeated names and positions are already lost. Never throws; time and memory are bounded by
 * the dialect's limits, whatever comes in.
 */
export function parsePolicy(input: unknown, dialect: PolicyDialect): ParsedPolicy {
  const limits = policyLimits[dialect];
  const text = typeof input === 'string' ? input : null;
  const readable = text === null || text.length <= limits.characters * unreadFactor;
  const reading = readInput(input, text, readable, limits);
  const { root } = reading;

  const found: { problem: Omit<Problem, 'line' | 'column'>; at: number | null }[] = reading.faults.map(
    ({ code, message, pointer, at }) => ({ problem: { code, severity: 'ERROR', message, pointer }, at }),
  );
  const report: Reading['report'] = (code, message, pointer, at, severity = 'ERROR') => {
    found.push({ problem: { code, severity, message, pointer }, at });
  };

  const length = !readable ? text.length : countCharacters(text ?? (root === null ? '' : printCompactJson(root)));
  if (length > limits.characters) {
    const message = `the policy has ${length} characters, at most ${limits.characters} are allowed; split it into several`;
    report('IAM.1021', message, '', root?.at ?? (text === null ? null : 0));
  }
  const document = root === null ? null : readDocument(root, dialect, report);

  const place = text === null ? null : indexLines(readable ? text : '');
  const problems = found
    .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
    .map(({ problem, at }): Problem => {
      const where = at === null ? null : (place?.(at) ?? null);
      return { ...problem, line: where?.line ?? null, column: where?.column ?? null };
    });
  return {
    document: problems.some(({ severity }) => severity === 'ERROR') ? null : document,
    problems,
    locate: (pointer) => {
      const at = root === null ? null : (findJsonNode(root, pointer)?.at ?? null);
      return at === null ? null : (place?.(at) ?? null);
    },
    text,
  };
}

function readInput(input: unknown, text: string | null, readable: boolean, limits: PolicyLimits): JsonReading {
  if (!readable) return { root: null, faults: [] };
  return text === null ? readJsonValue(input, limits.characters * unreadFactor) : readJsonText(text);
}

function readDocument(root: JsonNode, dialect: PolicyDialect, report: Reading['report']): PolicyDocument | null {
  if (root.kind !== 'object') {
    report('WRONG_TYPE', 'a policy is an object with `Version` and `Statement`', '', root.at);
    return null;
  }
  const version = readVersion(root, dialect, report);
  // Under an unknown version nothing is refused for belonging to another one: one fault, one problem.
  const newer = version === '5.0' || (version === null && dialect === 'SYSTEM');
  const reading: Reading = {
    limits: policyLimits[dialect],
    loneStrings: newer,
    loneStar: newer || dialect === 'ANY',
    newerMembers: newer || dialect === 'ANY',
    anyForm: dialect === 'ANY',
    report,
  };
  refuseUnknown(reading, root, ['Version', 'Statement', 'Depends'], '', 'a policy', {
    Principal: 'who is meant is said by the grant',
    Id: 'the name is given beside the document',
  });
  const statements = readStatements(reading, root);
  const depends = readDepends(reading, root, version, dialect);
  return version === null ? null : { version, statements, depends };
}

function readVersion(root: JsonObject, dialect: PolicyDialect, report: Reading['report']): PolicyVersion | null {
  const allowed: readonly PolicyVersion[] =
    dialect === 'CUSTOM' || dialect === 'SESSION' ? ['1.1'] : ['1.0', '1.1', '5.0'];
  const names = allowed.map((version) => `"${version}"`).join(', ');
  const node = findMember(root, 'Version');
  if (node === null) {
    report('IAM.1024', `the policy has no \`Version\`; write ${quote(`"Version": ${names}`)}`, '', root.at);
    return null;
  }
  const version = node.kind === 'string' ? allowed.find((one) => one === node.value) : undefined;
  if (version !== undefined) return version;
  const written = node.kind === 'string' ? `"${node.value}"` : printCompactJson(node);
  report('IAM.1024', `version ${quote(written)} cannot be used here; write ${quote(names)}`, '/Version', node.at);
  return null;
}

function readStatements(reading: Reading, root: JsonObject): Statement[] {
  const node = findMember(root, 'Statement');
  if (node === null) {
    reading.report('MISSING_FIELD', 'the policy has no `Statement`; give an array of statements', '', root.at);
    return [];
  }
  if (node.kind !== 'array') {
    reading.report('WRONG_TYPE', '`Statement` is an array of objects', '/Statement', node.at);
    return [];
  }
  const { statements } = reading.limits;
  checkCount(reading, node, statements, 'IAM.1028', '`Statement`', '/Statement', 'split the policy');
  return node.items.flatMap((item, index) => {
    const pointer = `/Statement${pointerStep(index)}`;
    if (item.kind !== 'object') {
      reading.report('WRONG_TYPE', 'a statement is an object with `Effect` and `Action`', pointer, item.at);
      return [];
    }
    return [readStatement(reading, item, index, pointer)];
  });
}

function readStatement(reading: Reading, node: JsonObject, index: number, pointer: string): Statement {
  const newer = ['Sid', 'NotAction', 'NotResource'];
  const known = ['Effect', 'Action', 'Resource', 'Condition'];
  refuseUnknown(reading, node, reading.newerMembers ? [...known, ...newer] : known, pointer, 'a statement', {
    ...Object.fromEntries(newer.map((name) => [name, 'it belongs to version 5.0'])),
    Principal: 'who is meant is said by the grant',
    NotPrincipal: 'who is meant is said by the grant',
  });
  // Members that this version does not have were refused above; they are not read.
  const member = (name: string): JsonNode | null =>
    newer.includes(name) && !reading.newerMembers ? null : findMember(node, name);

  const action = member('Action');
  const notAction = member('NotAction');
  const resource = member('Resource');
  const notResource = member('NotResource');
  if (action === null && notAction === null && findMember(node, 'NotAction') === null)
    reading.report('MISSING_FIELD', 'the statement has no `Action`; give an array of actions', pointer, node.at);
  refuseBoth(reading, node, action, notAction, 'Action', pointer);
  refuseBoth(reading, node, resource, notResource, 'Resource', pointer);

  const actions = action === null ? [] : readActions(reading, action, `${pointer}/Action`);
  const notActions = notAction === null ? null : readActions(reading, notAction, `${pointer}/NotAction`);
  const namedActions = action === null || notAction !== null ? null : actions;
  return {
    index,
    sid: readSid(reading, member('Sid'), `${pointer}/Sid`),
    effect: readEffect(reading, node, pointer),
    actions,
    notActions,
    resources: resource === null ? null : readResources(reading, resource, `${pointer}/Resource`, namedActions),
    notResources: notResource === null ? null : readResources(reading, notResource, `${pointer}/NotResource`, null),
    conditions: readConditions(reading, findMember(node, 'Condition'), `${pointer}/Condition`),
  };
}

function readSid(reading: Reading, node: JsonNode | null, pointer: string): string | null {
  if (node === null) return null;
  if (node.kind === 'string') return node.value;
  reading.report('WRONG_TYPE', '`Sid` is a string', pointer, node.at);
  return null;
}

function readEffect(reading: Reading, statement: JsonObject, pointer: string): Statement['effect'] {
  const node = findMember(statement, 'Effect');
  if (node === null) {
    const message = 'the statement has no `Effect`; write `Allow` or `Deny`';
    reading.report('MISSING_FIELD', message, pointer, statement.at);
  } else {
    // A published sample writes `deny`: any letter case is read.
    const effect = node.kind === 'string' ? node.value.toLowerCase() : null;
    if (effect === 'allow') return 'ALLOW';
    if (effect === 'deny') return 'DENY';
    const written = node.kind === 'string' ? node.value : printCompactJson(node);
    const message = `effect ${quote(written)} does not exist; write \`Allow\` or \`Deny\``;
    reading.report('BAD_EFFECT', message, `${pointer}/Effect`, node.at);
  }
  return 'DENY';
}

function readDepends(
  reading: Reading,
  root: JsonObject,
  version: PolicyVersion | null,
  dialect: PolicyDialect,
): PolicyDependency[] {
  const node = findMember(root, 'Depends');
  if (node === null) return [];
  const own = dialect === 'CUSTOM' || dialect === 'SESSION';
  if (own || version === '1.1' || version === '5.0') {
    const message = '`Depends` is only for system roles of version 1.0; grant what the policy leans on beside it';
    reading.report('IAM.1025', message, '/Depends', node.at);
    return [];
  }
  if (node.kind !== 'array') {
    reading.report('WRONG_TYPE', '`Depends` is an array of objects', '/Depends', node.at);
    return [];
  }
  if (node.items.length > reading.limits.depends) {
    const message = `\`Depends\` has ${node.items.length} entries, at most ${reading.limits.depends} are allowed; leave some out`;
    reading.report('IAM.1058', message, '/Depends', node.at);
  }
  return node.items.flatMap((item, index) => {
    const pointer = `/Depends${pointerStep(index)}`;
    if (item.kind !== 'object') {
      const message = 'a dependency is an object with `catalog` and `display_name`';
      reading.report('WRONG_TYPE', message, pointer, item.at);
      return [];
    }
    refuseUnknown(reading, item, ['catalog', 'display_name'], pointer, 'a dependency', {});
    const text = (name: string): string => {
      const member = findMember(item, name);
      if (member?.kind === 'string') return member.value;
      if (member === null)
        reading.report('MISSING_FIELD', `the dependency has no ${quote(name)}; name it`, pointer, item.at);
      else reading.report('WRONG_TYPE', `${quote(name)} is a string`, `${pointer}/${name}`, member.at);
      return '';
    };
    return [{ catalog: text('catalog'), displayName: text('display_name') }];
  });
}

function refuseBoth(
  reading: Reading,
  statement: JsonObject,
  one: JsonNode | null,
  other: JsonNode | null,
  name: string,
  pointer: string,
): void {
  if (one === null || other === null) return;
  const message = `the statement has both \`${name}\` and \`Not${name}\`; keep one, or write two statements`;
  reading.report('CONFLICTING_FIELDS', message, pointer, statement.at);
}
