/** How a server of the bench is told what to serve, and says where it is. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { makeWorld, type World, type WorldSize } from '../world.js';

/** What is written into the file that a server is started with. */
export interface Plan {
  readonly seed: number;
  readonly size: WorldSize;
  readonly accountId: string;
  readonly rootId: string;
  /** Text of the schema. */
  readonly sdl: string;
  /** Answers of ours, by row, for the server that knows nothing else. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
  readonly databaseUrl: string;
  readonly secretKeyFile: string;
}

export function readPlan(): Plan & { readonly world: World } {
  const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan;
  return { ...plan, world: makeWorld(plan.seed, plan.size) };
}

export function sayWhere(address: AddressInfo | string | null): void {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  process.stdout.write(`listening on 127.0.0.1:${address.port}\n`);
}

/** A server must not outlive whoever started it: its standard input ends with them. */
export function endWithParent(): void {
  process.stdin.resume().on('end', () => process.exit());
}
