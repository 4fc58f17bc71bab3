/** What tests of the subjects do over and over: send one mutation, give a user some actions, page through a list. */
import { grantPolicy, setAuthorizationMode, type GrantPolicyInput, type Id } from '../../src/iam/index.js';
import { must, type Stage } from './stage.js';

export interface Problem {
  readonly __typename: string;
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly reference: string | null;
}

export interface Payload {
  readonly userErrors: readonly Problem[];
  readonly revision: number | null;
  readonly clientMutationId: string | null;
  /** The objects of the payload, each under its own name. */
  readonly [name: string]: unknown;
}

/**
 * Sends one mutation by its name and answers its payload. Refusals and defects throw. `Shown` is what a success shows
 * besides; of a payload with userErrors it is null.
 */
export async function send<Shown extends object = object>(
  stage: Stage,
  token: string,
  mutation: string,
  input: object,
  selection: string,
): Promise<Payload & Shown> {
  return (await stage.get<{ done: Payload & Shown }>(token, document(mutation, selection), { input })).done;
}

/** Codes of the errors of one mutation that is refused as a whole. */
export async function refusedWith(
  stage: Stage,
  token: string,
  mutation: string,
  input: object,
): Promise<readonly unknown[]> {
  return (await stage.ask(token, document(mutation, ''), { input })).codes;
}

function document(mutation: string, selection: string): string {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return `mutation ($input: ${type}!) { done: ${mutation}(input: $input) {
    ${selection} userErrors { __typename code message path reference } revision clientMutationId } }`;
}

/** What a problem is, without its wording: code, path below the input, reference. */
export function gist({ userErrors }: Payload): readonly (readonly unknown[])[] {
  return userErrors.map(({ code, path, reference }) => [code, path?.slice(1).join('.') ?? null, reference]);
}

let policies = 0;

/** Grants a user these actions or statements, everywhere unless a scope is given. */
export async function allow(
  stage: Stage,
  userId: Id,
  statements: readonly (string | object)[],
  scope: GrantPolicyInput['scope'] = { kind: 'ALL', id: '' },
): Promise<void> {
  policies += 1;
  const policyId = await stage.policy(`given-${policies}`, statements);
  const root = await stage.call(await stage.token(stage.root, 'account'));
  must(await grantPolicy(stage.iam, root, { policyId, subject: { kind: 'USER', id: userId }, scope }));
}

/** From now on nobody may do anything without an Allow. */
export async function makeStrict(stage: Stage): Promise<void> {
  const root = await stage.call(await stage.token(stage.root, 'account'));
  must(await setAuthorizationMode(stage.iam, root, { mode: 'STRICT' }));
}
