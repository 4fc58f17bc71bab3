/**
 * The cost of a decision in process, on the rights that a database gives its callers: a process of its own, which is told
 * by a file where they are, and prints nanoseconds. Calls are opened before the clock starts; a decision is the
 * authorizer's, with its determining statements.
 */
import { readFileSync } from 'node:fs';
import { platformCatalogue } from '../../src/catalogue/index.js';
import { createIam, type Call } from '../../src/iam/index.js';
import { decide } from '../../src/iam/authorizer.js';
import { buildContext } from '../../src/policy/index.js';
import { openStore } from '../../src/store/index.js';
import type { Draws } from './draws.js';
import { actionOf, poolKey, urnOf } from './world.js';

const draws = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Draws;
const store = await openStore(draws.databaseUrl);
try {
  const iam = createIam({ store, masterKey: readFileSync(draws.secretKeyFile) });
  const calls = new Map<number, Call>();
  for (const user of new Set(draws.asked.map(({ user }) => user))) {
    const credential = { kind: 'token', token: draws.tokens[user] ?? '' } as const;
    const environment = { now: iam.now(), sourceAddress: '127.0.0.1' };
    const call = await iam.calls.open({ requestId: 'bench', credential, environment });
    if (call.broken !== null) throw new Error(call.broken.message);
    calls.set(user, call);
  }
  const questions = draws.asked.map(({ user, request }) => {
    const call = calls.get(user);
    if (call === undefined) throw new Error(`user ${user} has no call`);
    const context = buildContext(request.pool === null ? [] : [[poolKey, request.pool]]);
    const question = { action: actionOf(request), resource: urnOf(request), context };
    return { call, question };
  });
  let allowed = 0;
  const turn = (): number => {
    const before = process.cpuUsage();
    for (const { call, question } of questions) {
      const { effect } = decide(platformCatalogue, call.rights, call.facts, call.environment, question);
      if (effect === 'ALLOW') allowed += 1;
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / questions.length;
  };
  for (let i = 0; i < 4; i += 1) turn();
  const turns = Array.from({ length: 7 }, turn).sort((a, b) => a - b);
  process.stdout.write(`${JSON.stringify({ ns: turns[3], allowed: allowed / 11 / questions.length })}\n`);
} finally {
  await store.close();
}
