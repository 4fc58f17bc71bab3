import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startOptions } from '../../bench/http/contestants/bailiwick.js';
import { adapters } from '../../bench/http/adapters.js';
import { bundle } from '../../bench/http/build.js';
import { exchange } from '../../bench/http/connection.js';
import type { Server, Site } from '../../bench/http/contestant.js';
import { drawAsked, effectsOf } from '../../bench/http/draws.js';
import {
  checkAnswers,
  Client,
  firstStamp,
  takesPart,
  timeInTurns,
  type Figures,
  type RowFigures,
} from '../../bench/http/measurement.js';
import { judgeTargets, ours, ratioOf, writeTable } from '../../bench/http/report.js';
import { bodyOf, bytesOf, readGraphQL, type Row, type RowName, rowNames, rowsOf } from '../../bench/http/requests.js';
import { caller } from '../../bench/http/seed.js';
import { makeSite } from '../../bench/http/site.js';
import { takeTurn } from '../../bench/http/turn.js';
import { makeWorld } from '../../bench/http/world.js';
import { programFolder } from '../kit/shared.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bundles = join(root, `node_modules/.cache/bench-http-test-${process.pid}`);
const seed = 20260301;
const size = { users: 120, policies: 12, requests: 1_000 };

let folder = '';
let site: Site;
const servers: Server[] = [];
/** Few requests of each. */
let rows: readonly Row[] = [];

const rowOf = (name: RowName): Row => {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
};
const serverOf = (name: string): Server => {
  const server = servers.find((one) => one.name === name);
  if (server === undefined) throw new Error(`${name} does not run`);
  return server;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-bench-'));
  const program = process.env[programFolder] ?? '';
  await bundle(bundles, program);
  site = await makeSite({ folder, root, bundles, program, seed, size, postgresUrl: null });
  rows = rowsOf(site.world).map((row) => {
    return { ...row, variables: row.variables.slice(0, 25), asked: row.asked.slice(0, 25), warm: 4 };
  });
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(bundles, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

it('starts the program with the options that `npm start` gives', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<'start' | 'bench:explain', string>;
  };
  expect(scripts.start).toMatch(new RegExp(`node ${startOptions.join(' ')} dist/main\\.js$`));
  expect(scripts['bench:explain']).toContain(`node ${startOptions.join(' ')} `);
});

describe('the benchmark over HTTP', () => {
  // Eight servers are started.
  it('has every server answer alike', { timeout: 180_000 }, async () => {
    const [first, ...others] = adapters;
    const own = await first.open(site);
    if (own === null) throw new Error('ours does not run');
    servers.push(own);
    const expected = new Map(
      await Promise.all(rows.map(async (row) => [row.name, await checkAnswers(own, row, site.world, null)] as const)),
    );
    for (const [name, { disagreements, bodies }] of expected) {
      expect(disagreements).toEqual([]);
      site.answers[name] = bodies;
    }
    const effects = expected.get('check')?.read.flatMap((answer) => answer.effects) ?? [];
    expect(new Set(effects)).toEqual(new Set(['ALLOW', 'DENY']));
    expect(expected.get('users')?.read[0]?.text.match(/group-/g)?.length).toBeGreaterThan(100);

    const opened = await Promise.all(others.map(async (adapter) => ({ adapter, server: await adapter.open(site) })));
    for (const { adapter, server } of opened) {
      // Cerbos has no binary for some machines.
      if (server === null) continue;
      servers.push(server);
      for (const row of rows.filter((one) => takesPart(adapter, one))) {
        const { disagreements, answers } = await checkAnswers(
          server,
          row,
          site.world,
          expected.get(row.name)?.read ?? null,
        );
        expect(disagreements).toEqual([]);
        expect(answers).toBe(row.variables.length);
      }
    }
    expect(servers.map(({ name }) => name)).toEqual(expect.arrayContaining(['bare-node', 'unguarded', 'apollo']));

    const flipped = expected.get('check')?.read.map((answer) => ({ ...answer, effects: ['NEITHER'] })) ?? [];
    const { disagreements } = await checkAnswers(own, rowOf('check'), site.world, flipped);
    expect(disagreements).toHaveLength(flipped.length);
  });

  it('takes the guard away from the one server alone', async () => {
    const row = rowOf('users');
    const asked = (port: number) =>
      bytesOf('/graphql', port, { authorization: `Bearer ${site.seeded.tokens[caller] ?? ''}` }, bodyOf(row, {}));
    const ask = async ({ port }: Server): Promise<string> => {
      const [answer] = await exchange(port, [asked(port)]);
      return readGraphQL(row, answer?.status ?? 0, answer?.body?.toString() ?? '').text;
    };
    expect(await ask(serverOf(ours))).toMatch(/^errors: .*FORBIDDEN/);
    expect(await ask(serverOf('unguarded'))).toMatch(/user-0000000/);
    const stranger = async ({ port }: Server) => (await exchange(port, [bytesOf('/graphql', port, { authorization: 'Bearer no' }, bodyOf(row, {}))]))[0]?.status; // prettier-ignore
    expect(await stranger(serverOf('unguarded'))).toBe(401);
  });

  it('takes turns, and sees an answer that is not the one that was compared', async () => {
    const client = new Client(bundles);
    try {
      const row = rowOf('create');
      const contestants = await Promise.all(
        [ours, 'bare-node'].map((name) => checkAnswers(serverOf(name), { ...row, variables: [{ input: { name: `yy-${name.length}-#########` } }] }, site.world, null)), // prettier-ignore
      );
      expect(contestants.flatMap(({ disagreements }) => disagreements)).toEqual([]);
      const check = rowOf('check');
      const [own, bare, second] = await Promise.all([
        checkAnswers(serverOf(ours), check, site.world, null),
        checkAnswers(serverOf('bare-node'), check, site.world, null),
        checkAnswers(serverOf('unguarded'), check, site.world, null),
      ]);
      const effort = { rounds: 2, turnMs: 40, patienceMs: 5_000, connections: 4 };
      const taken = vi.spyOn(client, 'take');
      const figures = await timeInTurns(client, check, [[own, second], [bare]], effort, () => undefined);
      // Each is warmed; the second round begins with the second server, and takes the second process of the first.
      const [a, b, other] = [own, second, bare].map(({ server }) => server.port);
      expect(taken.mock.calls.map(([{ port }]) => port)).toEqual([a, b, other, a, other, other, b]);
      expect(figures.servers.map(({ name, answers }) => [name, answers])).toEqual([
        [ours, own.answers + second.answers],
        ['bare-node', bare.answers],
      ]);
      for (const { perSecond } of figures.servers) expect(Math.min(...perSecond)).toBeGreaterThan(0);
      expect(writeTable(figures)).toMatch(/bare-node +[\d,.]+ +\d\.\d\d/);
      // Every process is asked, and held against what it said itself.
      const wrong = { ...second, lengths: second.lengths.map(() => 1) };
      await expect(timeInTurns(client, check, [[own, wrong]], effort, () => undefined)).rejects.toThrow(
        /unguarded, check: \d+ answers were wrong; status 200/,
      );
    } finally {
      client.stop();
    }
    const server = serverOf('bare-node');
    const requests = server.requestsOf(rowOf('check'));
    const stretch = { milliseconds: 0, requests: 10 };
    const turn = {
      port: server.port,
      pid: server.pid,
      connections: 2,
      warm: stretch,
      measured: stretch,
      patienceMs: 5_000,
      requests,
      stamps: null,
      stampFrom: firstStamp,
      stampDigits: 9,
      lengths: requests.map(() => 1),
    };
    const count = await takeTurn(turn);
    expect(count.requests).toBeGreaterThanOrEqual(10);
    expect(count.wrong).toBeGreaterThanOrEqual(20);
    expect(count.fault).toMatch(/status 200, \d+ bytes instead of 1/);
  });

  it('ends a turn when everything is answered, and blames a server that leaves something', async () => {
    let under = 0;
    let silent = false;
    const server = createServer((_request, response) => {
      under += 1;
      setTimeout(() => {
        if (silent) return;
        under -= 1;
        response.end('{}');
      }, 30);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const requests = [bytesOf('/', port, {}, '{}')];
    const rest = { port, pid: process.pid, connections: 8, requests, stamps: null, stampFrom: firstStamp, stampDigits: 9, lengths: [2] }; // prettier-ignore
    const warm = { milliseconds: 0, requests: 1 };
    const measured = { milliseconds: 0, requests: 3 };
    try {
      const { wrong } = await takeTurn({ ...rest, warm, measured, patienceMs: 5_000 });
      expect({ wrong, under }).toEqual({ wrong: 0, under: 0 });
      silent = true;
      const { fault } = await takeTurn({ ...rest, warm, measured, patienceMs: 100 });
      expect(fault).toBe('8 requests were not answered');
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('holds the figures against the targets', () => {
    const figures = (name: string, perSecond: readonly number[]): Figures => ({
      name,
      perSecond,
      processorNs: perSecond.map((rate) => 2e9 / rate),
      serverLoad: 1,
      clientLoad: 0.5,
      answers: 1,
      disagreements: [],
    });
    const row = (name: RowName, decisions: number, list: readonly Figures[]): RowFigures => {
      return { name, meaning: name, decisions, servers: list };
    };
    const own = figures(ours, [400, 500, 600]);
    // A round in which everything was slow counts as a round, not as a slow server.
    expect(ratioOf(own, figures('other', [200, 250, 300]), 'wall')).toBe(2);
    expect(ratioOf(own, figures('other', [200, 250, 300]), 'processor')).toBe(2);
    expect(ratioOf(own, { ...own, processorNs: null }, 'processor')).toBeNull();
    const verdicts = judgeTargets(
      [
        row('check', 1, [own, figures('unguarded', [500, 600, 700]), figures('cerbos', [100, 120, 150])]),
        row('check-1000', 1_000, [own]),
        row('users', 0, [own, figures('apollo', [300, 300, 300])]),
      ],
      'wall',
    );
    expect(verdicts.map(({ reached }) => reached)).toEqual([false, true, true, false]);
    // By the processor a server that leaves half of it unused does twice as well, or half.
    expect(judgeTargets([row('check-1000', 1_000, [own])], 'processor').map(({ reached }) => reached)).toEqual([false]);
  });

  it('makes the same world of the same seed, and users who ask by Zipf', () => {
    expect(makeWorld(seed, size)).toEqual(makeWorld(seed, size));
    expect(makeWorld(seed, size).requests).not.toEqual(makeWorld(seed + 1, size).requests);
    const world = makeWorld(seed, { users: 1_000, policies: 40, requests: 200 });
    const asked = drawAsked(world, 2_000);
    const times = (user: number) => asked.filter((one) => one.user === user).length;
    expect(times(0)).toBeGreaterThan(times(1));
    expect(times(1)).toBeGreaterThan(times(50));
    const allowed = effectsOf(world, asked).filter((effect) => effect === 'ALLOW').length / asked.length;
    expect(allowed).toBeGreaterThan(0.2);
    expect(allowed).toBeLessThan(0.9);
    expect(new Set(rowsOf(world).map(({ name }) => name))).toEqual(new Set(rowNames));
  });
});
