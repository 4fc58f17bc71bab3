/**
 * Cedar (cedar-wasm): one preparsed policy set per user, asked by `statefulIsAuthorized`, without a schema (the request is
 * then checked against none) and without entities (tags and the rest are in the context, of which only what the world's
 * policies read is sent). Exact actions and resources are in the scope of a policy, where Cedar looks first.
 */
import { createRequire } from 'node:module';
import type CedarModule from '@cedar-policy/cedar-wasm/nodejs';
import { type Adapter, at, keepByUser, type OpenEngine, ReadRequests } from './engine.js';
import { type Condition, kinds, operations, patternOf, type Request, type Statement, type World } from './worlds.js';

type Cedar = typeof CedarModule;
type Call = Parameters<Cedar['statefulIsAuthorized']>[0];

/** What is used of `WebAssembly`, which the types of Node do not describe. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface Wasm {
  Instance: new (...given: readonly unknown[]) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (...given: never[]) => WasmMemory;
}

const { cedarWasm, memory } = loadCedar();

/** The library, and the memory that it keeps its policies in, which the JavaScript heap knows nothing of. */
function loadCedar(): { cedarWasm: Cedar; memory: WasmMemory | null } {
  const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const { Instance, Memory } = wasm;
  const memories: WasmMemory[] = [];
  wasm.Instance = class extends Instance {
    constructor(...given: readonly unknown[]) {
      super(...given);
      memories.push(...Object.values(this.exports).filter((exported) => exported instanceof Memory));
    }
  };
  try {
    const cedarWasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar;
    return { cedarWasm, memory: memories[0] ?? null };
  } finally {
    wasm.Instance = Instance;
  }
}

const actionNames = kinds.flatMap((kind) => operations.map((operation) => `${kind}:${operation}`));
const text = (value: string): string => JSON.stringify(value);

function policyText({ effect, actions, resources, conditions }: Statement): string {
  const named = actions.flatMap((pattern) => {
    const fits = patternOf(pattern);
    return pattern.includes('*') ? actionNames.filter((name) => fits.test(name)) : [pattern];
  });
  const all = [...new Set(named)].map((name) => `Action::${text(name)}`);
  const action = all.length === 1 ? `action == ${all[0]}` : `action in [${all.join(', ')}]`;
  const [only] = resources ?? [];
  const exact = resources?.length === 1 && only !== undefined && !only.includes('*') ? only : null;
  const resource = exact === null ? 'resource' : `resource == Resource::${text(exact)}`;
  const clauses = conditions.map(conditionText);
  if (resources !== null && exact === null) {
    clauses.unshift(
      resources
        .map((one) => (one.includes('*') ? `context.urn like ${text(one)}` : `resource == Resource::${text(one)}`))
        .join(' || '),
    );
  }
  const when = clauses.length === 0 ? '' : ` when { ${clauses.map((clause) => `(${clause})`).join(' && ')} }`;
  return `${effect === 'Deny' ? 'forbid' : 'permit'} (principal, ${action}, ${resource})${when};`;
}

function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'tag': {
      const { key, values } = condition;
      const [only] = values;
      if (values.length === 1) return `context has ${key} && context.${key} == ${text(only ?? '')}`;
      return `context has ${key} && [${values.map(text).join(', ')}].contains(context.${key})`;
    }
    case 'tagLike':
      return `context has ${condition.key} && context.${condition.key} like ${text(condition.pattern)}`;
    case 'ip':
      return condition.blocks.map((block) => `context.ip.isInRange(ip(${text(block)}))`).join(' || ');
    case 'notIp':
      return `!context.ip.isInRange(ip(${text(condition.block)}))`;
    case 'before':
      return `context.time < ${Date.parse(condition.instant)}`;
    case 'after':
      return `context.time > ${Date.parse(condition.instant)}`;
  }
}

/** What the policies of a world read of a context. */
function keysRead(world: World): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { resources, conditions } of world.policies.flatMap((policy) => policy.statements)) {
    if (resources?.some((pattern) => pattern.includes('*')) === true) keys.add('urn');
    for (const condition of conditions) {
      if (condition.kind === 'tag' || condition.kind === 'tagLike') keys.add(condition.key);
      else keys.add(condition.kind === 'ip' || condition.kind === 'notIp' ? 'ip' : 'time');
    }
  }
  return keys;
}

function contextOf({ resource, tags, ip, time }: Request, keys: ReadonlySet<string>): Call['context'] {
  const all: Call['context'] = {
    ...tags,
    urn: resource,
    ip: { __extn: { fn: 'ip', arg: ip } },
    time: Date.parse(time),
  };
  return Object.fromEntries(Object.entries(all).filter(([key]) => keys.has(key)));
}

/** Sets are kept by name in the library, for good. */
let opened = 0;

export const cedar: Adapter = {
  name: 'cedar',
  use: 'statefulIsAuthorized, one preparsed policy set per user, no schema, no entities; determining policies told',
  prepare: (world) => {
    const keys = keysRead(world);
    const requests = new ReadRequests(world, (asked): { user: number; call: Call } => ({
      user: asked.user,
      call: {
        principal: { type: 'User', id: `u${asked.user}` },
        action: { type: 'Action', id: asked.action },
        resource: { type: 'Resource', id: asked.resource },
        context: contextOf(asked, keys),
        entities: [],
        preparsedPolicySetId: '',
      },
    }));
    return (): OpenEngine => {
      opened += 1;
      const prefix = `${opened}/`;
      const texts = world.policies.map((policy) =>
        policy.statements.map((statement): [string, string] => [statement.id, policyText(statement)]),
      );
      const setOf = keepByUser((user) => {
        const id = `${prefix}${user}`;
        const held = world.policiesOf(user).flatMap((place) => at(texts, place));
        // One text is read three times as quickly as a record of texts; its policies are then named by their places.
        const answer = cedarWasm.preparsePolicySet(id, { staticPolicies: held.map(([, policy]) => policy).join('\n') });
        if (answer.type === 'failure') throw new Error(`cedar cannot read a policy: ${answer.errors[0]?.message}`);
        return { id, ids: held.map(([statement]) => statement) };
      });
      const ask = (place: number) => {
        const { user, call } = requests.at(place);
        const { id, ids } = setOf(user);
        call.preparsedPolicySetId = id;
        const answer = cedarWasm.statefulIsAuthorized(call);
        if (answer.type === 'failure') throw new Error(`cedar cannot decide: ${answer.errors[0]?.message}`);
        return { ...answer.response, ids };
      };
      const before = memory?.buffer.byteLength ?? 0;
      return {
        renew: (from, to) => {
          requests.renew(from, to);
        },
        allows: (place) => ask(place).decision === 'allow',
        determining: (place) => {
          const { diagnostics, ids } = ask(place);
          return diagnostics.reason.map((name) => at(ids, Number(name.slice('policy'.length))));
        },
        outsideHeap: () => (memory?.buffer.byteLength ?? 0) - before,
      };
    };
  },
};
