/** What one engine holds after it was used on a world, weighed in a process of its own. */
import { execFileSync } from 'node:child_process';
import { adapters } from './measurement.js';
import { at } from './engine.js';
import { makeWorld, type Policy, type World } from './worlds.js';

export interface Held {
  readonly bytes: number;
  /** Users whose rights it holds; fewer than asked when it ran out of time. */
  readonly users: number;
  readonly usersAsked: number;
}

export interface HeapQuestion {
  readonly engine: string;
  readonly world: string;
  readonly seed: number;
  readonly size: number;
  readonly patienceMs: number;
}

/** Asks this program, in a process of its own, with `--weigh`; it prints one line of JSON. */
export function weighApart({ engine, world, seed, size, patienceMs }: HeapQuestion): Held {
  const options = { weigh: engine, worlds: world, seed, size, patience: patienceMs };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = process.argv[1] ?? '';
  return JSON.parse(
    execFileSync(process.execPath, [...process.execArgv, program, ...args], { encoding: 'utf8' }),
  ) as Held;
}

/** Only what is reachable, the memory of WebAssembly included. */
function bytesHeld(): number {
  for (let i = 0; i < 4; i += 1) global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the engine holds is meant for the whole population: who asks nothing is made to ask what somebody else does. */
function withEverybodyAsking(world: World): World {
  const asking = new Set(world.requests.map(({ user }) => user));
  const asked = world.requests;
  const others = Array.from({ length: world.users }, (_one, user) => user).filter((user) => !asking.has(user));
  return { ...world, requests: [...asked, ...others.map((user) => ({ ...at(asked, user % asked.length), user }))] };
}

/** Requests are translated before the first reading, policies after it. */
export function weigh({ engine, world: name, seed, size, patienceMs }: HeapQuestion): Held {
  const adapter = adapters.find((one) => one.name === engine);
  if (adapter === undefined) throw new Error(`there is no engine ${engine}`);
  const world = withEverybodyAsking(makeWorld(name, seed, size));
  // Emptied once the engine has read them: it is weighed with what it keeps of its policies, and not with the world's.
  const policies: Policy[] = [];
  const open = adapter.prepare({ ...world, policies });
  const before = bytesHeld();
  policies.push(...structuredClone(world.policies));
  const opened = open();
  policies.length = 0;
  const users = new Set<number>();
  const usersAsked = new Set(world.requests.map(({ user }) => user)).size;
  const end = Date.now() + patienceMs;
  for (const [place, { user }] of world.requests.entries()) {
    if (place > 20 && Date.now() > end) break;
    opened.allows(place);
    users.add(user);
  }
  const bytes = bytesHeld() - before + (opened.outsideHeap?.() ?? 0);
  // Asked once more, so that nothing was let go before it was weighed.
  opened.allows(0);
  return { bytes, users: users.size, usersAsked };
}
