/**
 * Node ids: base64url of `<Kind>:<id>`, opaque to clients. Encoded and decoded here and nowhere else. Inputs take a Node
 * id or the plain id of the expected kind (rule 20).
 */
import { BadInput, type Id, type Kind } from '../iam/index.js';
import { checkText } from './text.js';

/** Every GraphQL type that is a Node, with the kind of record behind it. */
export const nodeKinds = {
  AccessKey: 'accessKey',
  Account: 'account',
  Agency: 'agency',
  AuditEvent: 'auditEvent',
  Authorization: 'authorization',
  EnterpriseProject: 'enterpriseProject',
  Grant: 'grant',
  Group: 'group',
  KeyPair: 'keyPair',
  Policy: 'policy',
  Resource: 'resource',
  Service: 'service',
  Session: 'session',
  User: 'user',
  Workspace: 'workspace',
} as const satisfies Record<string, Kind>;

export type NodeKind = keyof typeof nodeKinds;

export interface NodeId {
  readonly kind: NodeKind;
  readonly id: Id;
}

const longest = 512;

/** Ids of each kind that were encoded before; lists show the same objects again and again. */
const encoded = new Map<NodeKind, Map<Id, string>>();
const mostOfAKind = 2_000;

export function encodeNodeId(kind: NodeKind, id: Id): string {
  let ofKind = encoded.get(kind);
  if (ofKind === undefined) encoded.set(kind, (ofKind = new Map<Id, string>()));
  let text = ofKind.get(id);
  if (text === undefined) {
    text = encode(kind, id);
    if (ofKind.size >= mostOfAKind) ofKind.clear();
    ofKind.set(id, text);
  }
  return text;
}

function encode(kind: NodeKind, id: Id): string {
  return Buffer.from(`${kind}:${id}`).toString('base64url');
}

/** Reads a Node id; null for anything else, plain ids among them. */
export function readNodeId(text: string): NodeId | null {
  if (text.length > longest || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
  const decoded = Buffer.from(text, 'base64url').toString();
  const colon = decoded.indexOf(':');
  const kind = decoded.slice(0, Math.max(colon, 0));
  const id = decoded.slice(colon + 1);
  // What does not encode back to itself only looks like one of ours.
  if (!isNodeKind(kind) || id === '' || encode(kind, id) !== text) return null;
  return { kind, id };
}

/** The plain id in an input value: a Node id of the expected kind, or a plain id. Anything else is refused. */
export function decodeId(kind: NodeKind, input: string): Id {
  if (input.length > longest) throw new BadInput(`an id has at most ${longest} characters`);
  // Empty stands for "none" in some columns; from a client it is a forgotten variable.
  if (input === '') throw new BadInput(`an id is empty; give the id of ${article(kind)}`);
  const node = readNodeId(input);
  if (node === null) return input;
  if (node.kind !== kind) {
    throw new BadInput(`\`${input}\` is the id of ${article(node.kind)}; give the id of ${article(kind)}`);
  }
  // The edge saw only base64url; what was inside must be text that can be stored, too (rule 29).
  checkText(node.id);
  return node.id;
}

function article(kind: NodeKind): string {
  return `${/^[AE]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** As `decodeId` for an input that may be absent; null and absent stay what they are. */
export function decodeOptionalId<Absent extends null | undefined>(kind: NodeKind, input: string | Absent): Id | Absent {
  return typeof input === 'string' ? decodeId(kind, input) : input;
}

/** Most ids in one list of an input, where nothing else limits it. */
export const longestIdList = 100;

export function decodeIds(kind: NodeKind, inputs: readonly string[], maximum = Infinity): readonly Id[] {
  if (inputs.length > maximum) {
    throw new BadInput(`${inputs.length} ids were sent; at most ${maximum} are taken at once`);
  }
  return inputs.map((input) => decodeId(kind, input));
}

/** The plain id in a value whatever its kind, for the URN of a question: the wrong kind is refused later, by `decodeId`. */
export function plainId(input: string): Id {
  return readNodeId(input)?.id ?? input;
}

export function isNodeKind(name: string): name is NodeKind {
  return Object.hasOwn(nodeKinds, name);
}
