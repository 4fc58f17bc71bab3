/**
 * The grammar of what a statement is about: its actions and its resources. Source: domain facts, sections a1 and a5.
 */
import { checkAction, isAssumeAction } from './actions.js';
import { type JsonArray, type JsonNode, type JsonObject, type JsonString, pointerStep } from './json.js';
import { quote } from './problems.js';
import { checkCount, countCharacters, type Reading, refuseUnknown } from './reading.js';
import { agencyUriPattern, checkResource } from './resources.js';

/** Reads `Action` or `NotAction`. Entries keep their order, so that their places in the document are those in the text. */
export function readActions(reading: Reading, node: JsonNode, pointer: string): string[] {
  const entries = readStrings(reading, node, pointer, 'actions', reading.loneStrings);
  if (entries === null) return [];
  if (node.kind === 'array') {
    const { actions } = reading.limits;
    checkCount(reading, node, actions, 'IAM.1033', 'the list of actions', pointer, 'split the statement');
  }
  return entries.map(({ value, at, pointer: place }) => {
    const length = countCharacters(value);
    if (length > reading.limits.actionLength) {
      const message = `action ${quote(value)} has ${length} characters, at most ${reading.limits.actionLength} are allowed; shorten it`;
      reading.report('IAM.1034', message, place, at);
      return value;
    }
    const fault = checkAction(value, reading.loneStar);
    if (fault !== null) {
      const severity = fault.kind === 'form' && reading.anyForm && value !== '' ? 'WARNING' : 'ERROR';
      reading.report('BAD_ACTION', `action ${quote(value)} cannot be read: ${fault.message}`, place, at, severity);
    }
    return value;
  });
}

/**
 * Reads `Resource` or `NotResource`: an array of patterns; `"*"` alone in every version; or the object form for
 * agencies, whose URIs become patterns at the same places.
 *
 * @param actions the statement's `Action`, which the object form is bound to; null when it has none
 */
export function readResources(
  reading: Reading,
  node: JsonNode,
  pointer: string,
  actions: readonly string[] | null,
): string[] {
  if (node.kind === 'object') return readAgencies(reading, node, pointer, actions);
  const everything = node.kind === 'string' && node.value === '*';
  const entries = readStrings(reading, node, pointer, 'resources', reading.loneStrings || everything);
  if (entries === null) return [];
  if (node.kind === 'array') {
    const { resources } = reading.limits;
    const advice = 'split the statement, or leave `Resource` out for all';
    checkCount(reading, node, resources, 'IAM.1040', 'the list of resources', pointer, advice);
  }
  return entries.map(({ value, at, pointer: place }) => {
    const length = countCharacters(value);
    if (length > reading.limits.resourceLength) {
      const message = `the resource has ${length} characters, at most ${reading.limits.resourceLength} are allowed; shorten it`;
      reading.report('IAM.1042', message, place, at);
      return value;
    }
    const fault = checkResource(value);
    if (fault !== null) {
      const severity = fault.kind === 'form' && reading.anyForm && value !== '' ? 'WARNING' : 'ERROR';
      reading.report(fault.code, `resource ${quote(value)} cannot be read: ${fault.message}`, place, at, severity);
    }
    return value;
  });
}

/** `{"uri": ["/iam/agencies/<id>"]}`: which agencies may be assumed. */
function readAgencies(
  reading: Reading,
  node: JsonObject,
  pointer: string,
  actions: readonly string[] | null,
): string[] {
  refuseUnknown(reading, node, ['uri'], pointer, 'a resource object', {});
  if (actions === null || !actions.every(isAssumeAction)) {
    const message = 'the object form of a resource goes with `iam:agencies:assume` alone; write the others apart';
    reading.report('IAM.1037', message, pointer, node.at);
  }
  const uris = node.members.find(({ name }) => name === 'uri')?.value;
  if (uris === undefined) {
    const message = 'the resource object has no `uri`; give an array of `/iam/agencies/<id>`';
    reading.report('MISSING_FIELD', message, pointer, node.at);
    return [];
  }
  const entries = readStrings(reading, uris, `${pointer}/uri`, 'URIs', false);
  if (entries === null) return [];
  const { agencyUris, agencyUriLength } = reading.limits;
  if (uris.kind === 'array')
    checkCount(reading, uris, agencyUris, 'IAM.1037', 'the list of URIs', `${pointer}/uri`, 'split the statement');
  return entries.map(({ value, at, pointer: place }) => {
    const length = countCharacters(value);
    if (length > agencyUriLength) {
      const message = `the URI has ${length} characters, at most ${agencyUriLength} are allowed; shorten it`;
      reading.report('IAM.1037', message, place, at);
      return value;
    }
    const pattern = agencyUriPattern(value);
    if (pattern === null)
      reading.report('BAD_RESOURCE', `the URI ${quote(value)} cannot be read; write \`/iam/agencies/<id>\``, place, at);
    return pattern ?? value;
  });
}

interface PlacedString {
  readonly value: string;
  readonly at: number | null;
  readonly pointer: string;
}

/** The strings of a list; null when it is no list. What is no string is reported and left out: no document comes of it. */
function readStrings(
  reading: Reading,
  node: JsonNode,
  pointer: string,
  what: string,
  loneString: boolean,
): PlacedString[] | null {
  if (loneString && node.kind === 'string') return [{ value: node.value, at: node.at, pointer }];
  if (node.kind !== 'array') {
    const hint = node.kind === 'string' ? `; put ${quote(node.value)} in brackets` : '';
    reading.report('WRONG_TYPE', `${what} are written as an array of strings${hint}`, pointer, node.at);
    return null;
  }
  return stringsOf(reading, node, pointer, what);
}

function stringsOf(reading: Reading, node: JsonArray, pointer: string, what: string): PlacedString[] {
  const isString = (item: JsonNode): item is JsonString => item.kind === 'string';
  return node.items.flatMap((item, index) => {
    const place = pointer + pointerStep(index);
    if (isString(item)) return [{ value: item.value, at: item.at, pointer: place }];
    reading.report('WRONG_TYPE', `${what} are strings; write this one in double quotes`, place, item.at);
    return [];
  });
}
