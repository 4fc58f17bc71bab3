/** URNs of resources: `service:region:account:type:id`. */
import type { Id } from './records.js';

const longestUrn = 512;

/** The parts of a URN `service:region:account:type:id`; the id may hold further colons. */
export interface UrnParts {
  readonly service: string;
  readonly region: string;
  readonly accountId: Id;
  readonly type: string;
  readonly id: string;
}

/** What a URN that names one thing cannot hold: wildcards and variables of policies, and what nobody sees. */
const unnameable = /[*?$\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|^\s|\s$/u;

/** Reads a URN; null when it has fewer than five segments, an empty service, type or id, or characters of patterns. */
export function readUrn(urn: string): UrnParts | null {
  const [service, region, accountId, type, ...rest] = urn.split(':');
  if (service === undefined || region === undefined || accountId === undefined || type === undefined) return null;
  const id = rest.join(':');
  if (service === '' || type === '' || id === '' || urn.length > longestUrn || unnameable.test(urn)) return null;
  return { service, region, accountId, type, id };
}

/** What most are: five segments of visible ASCII. */
const plainUrn =
  /^[^\0-\x20*?$:\x7f-\uffff]+:[^\0-\x20*?$:\x7f-\uffff]*:[^\0-\x20*?$:\x7f-\uffff]*:[^\0-\x20*?$:\x7f-\uffff]+:[^\0-\x20*?$\x7f-\uffff]+$/;

/** Whether `readUrn` reads it, for those who ask this of a thousand at once: the tables of Unicode are slow to look at. */
export function isUrn(urn: string): boolean {
  return (urn.length <= longestUrn && plainUrn.test(urn)) || readUrn(urn) !== null;
}
