import { describe, expect, it } from 'vitest';
import {
  adapters,
  answersOf,
  checkAnswers,
  ours,
  reference,
  sharesOf,
  timeFirstDecisions,
  timeInTurns,
} from '../../bench/engines/measurement.js';
import { judgeTargets, writeTable, type WorldFigures } from '../../bench/engines/report.js';
import { makeWorld, type World, worldNames } from '../../bench/engines/worlds.js';

const seed = 20260301;
const asked = 80;

function tiny(name: string): World {
  const world = makeWorld(name, seed, name.startsWith('10000') || name === 'growth-10000' ? 0.005 : 0.04);
  return { ...world, requests: world.requests.slice(0, asked) };
}

describe('the benchmark of engines', () => {
  it.each(worldNames)('has every engine answer alike in the world %s', (name) => {
    const world = tiny(name);
    const expected = answersOf(ours.prepare(world)(), world);
    for (const adapter of [reference, ...adapters]) {
      const checked = checkAnswers(adapter.name, adapter.prepare(world), world, expected, 5_000);
      expect(checked.disagreements).toEqual([]);
      expect(checked.answered).toBe(asked);
      checked.engine.renew(0, asked);
      const again = world.requests.map((_request, place) => checked.engine.allows(place));
      expect(again, adapter.name).toEqual(expected.allowed);
    }
    const { allowed, forbidden } = sharesOf(expected);
    expect(allowed).toBeGreaterThan(0.3);
    expect(allowed).toBeLessThan(0.9);
    expect(forbidden).toBeLessThan(0.4);
  });

  it('makes the same world of the same seed', () => {
    expect(tiny('medium').requests).toEqual(tiny('medium').requests);
    expect(tiny('medium').requests).not.toEqual(makeWorld('medium', seed + 1, 0.04).requests.slice(0, asked));
  });

  it('sees an engine that answers otherwise', () => {
    const world = tiny('small');
    const expected = answersOf(ours.prepare(world)(), world);
    const renew = () => undefined;
    const wrong = checkAnswers('wrong', () => ({ renew, allows: () => true }), world, expected, 5_000);
    expect(wrong.disagreements).toHaveLength(expected.allowed.filter((allowed) => !allowed).length);
    const silent = { renew, allows: (place: number) => expected.allowed[place] === true, determining: () => [] };
    expect(checkAnswers('silent', () => silent, world, expected, 5_000).disagreements.length).toBeGreaterThan(0);
  });

  it('times engines in turns and holds the figures against the targets', () => {
    const world = tiny('small');
    const contestants = adapters.map((adapter) => ({ adapter, engine: adapter.prepare(world)() }));
    const timings = timeInTurns(
      contestants.map(({ adapter, engine }) => ({
        name: adapter.name,
        decide: (place: number) => engine.allows(place),
        renew: (from: number, to: number) => {
          engine.renew(from, to);
        },
        requests: asked,
      })),
      { rounds: 1, turnMs: 1, patienceMs: 100 },
    );
    expect(timings.map(({ name }) => name)).toEqual(adapters.map(({ name }) => name));
    expect(timings.every(({ medianNs, decisionsPerTurn }) => medianNs > 0 && decisionsPerTurn >= 5)).toBe(true);
    const slow = { answered: 1, statementsCompared: 0, disagreements: [], firstNs: 1e9, openNs: 5 };
    const first = timeFirstDecisions(ours.prepare(world), world, { ...slow, firstNs: 1 }, 100);
    expect(first.users).toBe(7);
    expect(timeFirstDecisions(ours.prepare(world), world, slow, 100)).toEqual({ meanNs: 1e9, openNs: 5, users: 1 });

    const row = (engine: string, ns: number, bytes: number) => ({
      engine,
      ns,
      decisionsPerTurn: 5,
      firstNs: ns * 10,
      firstUsers: 1,
      openNs: 1,
      checked: { answered: 1, statementsCompared: 0, disagreements: [], firstNs: ns, openNs: 1 },
      heap: { bytes, users: 1, usersAsked: 1 },
    });
    const figures = (name: string, rows: WorldFigures['rows']): WorldFigures => ({
      name,
      statements: 1,
      users: 1,
      requests: 10,
      shares: { allowed: 0.5, forbidden: 0.1 },
      bareNs: null,
      rows,
    });
    const large = figures('large', [row(ours.name, 100, 1e6), row('slow', 900, 5e6), row('quick', 300, 30e6)]);
    expect(judgeTargets([large], ours.name).map(({ reached }) => reached)).toEqual([true, true, false]);
    const growth = [
      figures('growth-10', [row(ours.name, 100, 1)]),
      figures('growth-10000', [row(ours.name, 2_600, 1)]),
    ];
    expect(judgeTargets(growth, ours.name).map(({ reached }) => reached)).toEqual([false]);
    expect(writeTable(large, ours.name)).toMatch(/slow +900 +9\.0 .*only 5/);
  });
});
