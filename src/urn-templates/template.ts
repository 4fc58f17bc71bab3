/**
 * Templates of the URN that a permission is asked about (rule 13).
 *
 *   iam::{account}:user:{args.input.id}       a declared argument; Node ids become plain ids
 *   iam:::credential:{args.input.userId|caller}   an optional one that defaults to the caller; blank account = the caller's
 *   modelarts::{account}:workspace:{source.id}    a field of the object, in rules of types and nested fields
 *   {source.urn}                              the whole URN
 *
 * Parsed and resolved against the declared arguments and fields when the schema is built, so that nothing which
 * validation has not seen can take part. Filling never guesses: a template that cannot be filled refuses.
 *
 * An argument that may be absent cannot be named without `|caller`: asking about no resource at all instead would step
 * around every Deny that names one. Where the resource depends on such an argument, the door asks without a resource and
 * the use-case asks exactly (rule 14).
 */
import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNullableType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
} from 'graphql';

export type Placeholder =
  | { readonly kind: 'account' }
  | { readonly kind: 'caller' }
  | { readonly kind: 'argument'; readonly path: readonly string[]; readonly orCaller: boolean }
  | { readonly kind: 'source'; readonly property: string };

export interface Template {
  readonly text: string;
  readonly parts: readonly (string | Placeholder)[];
  /** The field of the object that alone decides what it is filled to, for one caller; null when there is more to it, or less. */
  readonly soleProperty: string | null;
}

/** What a template may name where it stands. `source` holds the fields of the object whose value is plain. */
export interface TemplatePlace {
  readonly arguments: readonly GraphQLArgument[] | null;
  readonly source: ReadonlySet<string> | null;
}

export interface TemplateValues {
  readonly accountId: string;
  readonly callerId: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly source: unknown;
  /** What an argument's text stands for: the plain id behind a Node id, for instance. */
  readonly plain?: (text: string) => string;
}

/** Parses a template; a string is the problem found. */
export function parseTemplate(text: string): Template | string {
  const parts: (string | Placeholder)[] = [];
  let rest = text;
  while (rest !== '') {
    const open = rest.search(/[{}]/);
    if (open === -1) {
      parts.push(rest);
      break;
    }
    const close = rest.indexOf('}', open);
    if (rest[open] === '}' || close === -1) return 'has a brace without its partner';
    if (open > 0) parts.push(rest.slice(0, open));
    const name = rest.slice(open + 1, close);
    const placeholder = parsePlaceholder(name);
    if (placeholder === null) return `has the unknown placeholder \`{${name}}\``;
    parts.push(placeholder);
    rest = rest.slice(close + 1);
  }
  return shapeUrn(text, parts);
}

function parsePlaceholder(name: string): Placeholder | null {
  if (name === 'account' || name === 'caller') return { kind: name };
  const match = /^(args|source)((?:\.[A-Za-z_]\w*)+)(\|caller)?$/.exec(name);
  if (match === null) return null;
  const path = (match[2] ?? '').slice(1).split('.');
  const orCaller = match[3] !== undefined;
  if (match[1] === 'args') return { kind: 'argument', path, orCaller };
  const [property] = path;
  return property === undefined || path.length > 1 || orCaller ? null : { kind: 'source', property };
}

/** A URN has five segments; only the account and the last one are filled in. A lone placeholder is the whole URN. */
function shapeUrn(text: string, parts: readonly (string | Placeholder)[]): Template | string {
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'object') {
    return only.kind === 'argument' || only.kind === 'source' ? templateOf(text, parts) : 'must be a URN';
  }
  const segments: (string | Placeholder)[][] = [[]];
  for (const part of parts) {
    if (typeof part !== 'string') {
      segments.at(-1)?.push(part);
      continue;
    }
    for (const [index, piece] of part.split(':').entries()) {
      if (index > 0) segments.push([]);
      if (piece !== '') segments.at(-1)?.push(piece);
    }
  }
  const [service, region, account, type, ...id] = segments;
  if (service === undefined || region === undefined || account === undefined || type === undefined || id.length === 0) {
    return 'must have the five segments `service:region:account:type:id`';
  }
  if ([...service, ...region, ...type].some((part) => typeof part !== 'string')) {
    return 'may have placeholders only in its account and its id';
  }
  if (service.length === 0 || type.length === 0) return 'must name its service and its type';
  const [owner = { kind: 'account' } as const, ...more] = account;
  if (typeof owner === 'string' || owner.kind !== 'account' || more.length > 0) {
    return 'must have `{account}` or nothing as its account';
  }
  if (id.some((segment) => segment.length === 0)) return 'must not end in a blank segment';
  const shaped = [service, region, [owner], type, ...id].flatMap((segment, index) =>
    index === 0 ? segment : [':', ...segment],
  );
  return templateOf(text, shaped);
}

function templateOf(text: string, parts: Template['parts']): Template {
  const fromObject = parts.filter(
    (part) => typeof part !== 'string' && part.kind !== 'account' && part.kind !== 'caller',
  );
  const [only] = fromObject;
  const sole = fromObject.length === 1 && typeof only === 'object' && only.kind === 'source' ? only.property : null;
  return { text, parts, soleProperty: sole };
}

/** Checks that every name in a template is declared where the template stands. Answers the problems found. */
export function checkTemplate(template: Template, place: TemplatePlace): readonly string[] {
  const problems: string[] = [];
  for (const part of template.parts) {
    if (typeof part === 'string') continue;
    if (part.kind === 'source' && !place.source?.has(part.property)) {
      problems.push(`names \`source.${part.property}\`, which is no plain field of the object`);
    }
    if (part.kind === 'argument') {
      const fault = place.arguments === null ? 'there are no arguments here' : argumentFault(part, place.arguments);
      if (fault !== null) problems.push(`names \`args.${part.path.join('.')}\`: ${fault}`);
    }
  }
  return problems;
}

function argumentFault(
  { path, orCaller }: Extract<Placeholder, { kind: 'argument' }>,
  declared: readonly GraphQLArgument[],
): string | null {
  let optional = false;
  let type: GraphQLInputType | null = null;
  for (const name of path) {
    const step: GraphQLArgument | GraphQLInputField | undefined =
      type === null ? declared.find((argument) => argument.name === name) : memberOf(type, name);
    if (step === undefined) return `\`${name}\` is not declared`;
    // A nullable value with a default can still be sent as null.
    if (isNullableType(step.type)) optional = true;
    type = step.type;
    if (isListType(getNullableType(type))) return `\`${name}\` is a list`;
  }
  if (type === null || !isLeafType(getNamedType(type))) return 'it is an object, not a value';
  if (optional && !orCaller) return 'it may be absent; add `|caller`, or ask without a resource';
  if (!optional && orCaller) return 'it is never absent; leave `|caller` out';
  return null;
}

function memberOf(type: GraphQLInputType, name: string): GraphQLInputField | undefined {
  const nullable = getNullableType(type);
  return isInputObjectType(nullable) ? nullable.getFields()[name] : undefined;
}

/** Fills a template; null when a value is missing or no text, and then the question must be refused. */
export function fillTemplate({ parts }: Template, values: TemplateValues): string | null {
  let urn = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      urn += part;
      continue;
    }
    const value = valueOf(part, values);
    if (value === null || value === '') return null;
    urn += parts.length === 1 ? value : escapeSegment(value);
  }
  return urn;
}

function valueOf(
  placeholder: Placeholder,
  { accountId, callerId, args, source, plain = (text) => text }: TemplateValues,
): string | null {
  switch (placeholder.kind) {
    case 'account':
      return accountId;
    case 'caller':
      return callerId;
    case 'source':
      return asText(property(source, placeholder.property));
    case 'argument': {
      const value = placeholder.path.reduce<unknown>(property, args);
      if (value == null && placeholder.orCaller) return callerId;
      const text = asText(value);
      return text === null ? null : plain(text);
    }
  }
}

function property(owner: unknown, name: string): unknown {
  return typeof owner === 'object' && owner !== null ? (owner as Record<string, unknown>)[name] : undefined;
}

function asText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : null;
}

/** What a caller sends must neither add segments to a URN nor read as a pattern. No id of ours has these characters. */
export function escapeSegment(text: string): string {
  return text.replace(/[:*?%\s]/g, (character) => encodeURIComponent(character).replace('*', '%2A'));
}
