/**
 * Our policy engine beside casbin, CASL, Cedar (WebAssembly) and pbac, on the same worlds:
 *
 *     npm run bench:engines
 *     npm run bench:engines -- --worlds small,medium --rounds 3 --size 0.1 --seed 7 --strict
 *
 * The script bundles this first: the compiler that runs TypeScript directly names every function anew when it is made, which
 * would be measured with the engine, and which nothing that is shipped does.
 *
 * `--no-turbo-inline-js-wasm-calls`: Node 20 was seen to die while undoing an optimisation in a long run ("unreachable
 * code" in its deoptimiser), and calls into WebAssembly, which Cedar's are, have a way of their own there. They cost
 * nanoseconds, its decisions a hundred microseconds.
 *
 * Each world (worlds.ts) is made from the seed, and each adapter translates its policies and requests before the clock
 * starts. Each peer is used in the quickest way that its users have, which the head of its adapter tells.
 *
 * - **same answers**: requests whose answer was compared with ours; `+n` of them with all determining statements. Ours is
 *   compared with the reference form. One disagreement, and the run ends with status 1.
 * - **ns**: per decision, our determining statements told; the median of the rounds, in each of which engines take turns,
 *   quick ones five. Requests are read anew a few at a time just before, off the clock: who decides has just read what
 *   about, while what people hold may have lain untouched for long.
 * - **x**: how many times ours that is.
 * - **first**: the mean first decision of a user in a fresh build, where the engine puts the user's rights together.
 * - **open**: what reading the policies took before that. What is read of a policy there is not read in a first decision,
 *   so the two go together: ours only parses there, and makes statements ready when they are first met.
 * - **heap**: what the engine holds after use, in a process of its own (policies and rights, not the requests; memory of
 *   WebAssembly included). Not weighed again for the worlds that differ from another one in their wildcards alone.
 * - **timed**: decisions in one turn, where they do not go through all the requests once: too slow for more.
 *
 * `bare` is the share of a decision that tells only the effect, where the build has one. Targets are judged at size 1; one
 * that is missed ends the run with status 1 only with `--strict`.
 */
import { cpus } from 'node:os';
import { choices, flag, number, readOptions, seed as seedOption, text } from '../../test/kit/options.js';
import { weigh, weighApart } from './heap.js';
import {
  adapters,
  answersOf,
  checkAnswers,
  type Contestant,
  type Effort,
  ours,
  reference,
  sharesOf,
  timeFirstDecisions,
  timeInTurns,
} from './measurement.js';
import { judgeTargets, type Row, type WorldFigures, writeTable } from './report.js';
import { makeWorld, worldNames } from './worlds.js';

const values = readOptions(
  'npm run bench:engines --',
  'Our policy engine beside others on the same worlds. What the columns mean is told in bench/engines/run.ts.',
  {
    worlds: choices('what is decided about', worldNames),
    engines: choices(
      'whom it is compared with',
      adapters.map(({ name }) => name),
    ),
    rounds: number('rounds, in each of which engines take turns', 3),
    size: number('how large worlds are, against what their names say', 1, { least: 0.001, whole: false }),
    seed: seedOption(1),
    turn: number('milliseconds of a turn', 80),
    patience: number('milliseconds that one engine may take for a turn', 4_000),
    'no-heap': flag('leave the heap out, which takes a process for each engine and world'),
    strict: flag('end with status 1 where a target is missed'),
    weigh: text('only print the heap of this engine in the world of --worlds; the run starts itself with it', null),
  },
);
const { seed, size } = values;
const effort: Effort = { rounds: values.rounds, turnMs: values.turn, patienceMs: values.patience };
const chosen = adapters.filter(({ name }) => name === ours.name || values.engines.includes(name));

/** Only where somebody watches. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};

const disagreements: string[] = [];

function measureWorld(name: string): WorldFigures {
  progress(`${name}: world`);
  const world = makeWorld(name, seed, size);
  const contestants = chosen.map((adapter) => ({ adapter, open: adapter.prepare(world) }));
  const [own] = contestants;
  if (own === undefined) throw new Error('no engine is left');
  const expected = answersOf(own.open(), world);

  const checks = [{ adapter: reference, open: reference.prepare(world) }, ...contestants].map(({ adapter, open }) => {
    progress(`${name}: answers of ${adapter.name}`);
    const { engine, ...checked } = checkAnswers(adapter.name, open, world, expected, effort.patienceMs);
    return { adapter, engine, checked };
  });
  disagreements.push(...checks.flatMap(({ checked }) => checked.disagreements));
  const [byReference, ...others] = checks;

  progress(`${name}: turns`);
  const timed = others.flatMap(({ adapter, engine, checked }): Contestant[] => {
    const renew = (from: number, to: number) => {
      engine.renew(from, to);
    };
    const own = { name: adapter.name, decide: (place: number) => engine.allows(place) };
    const bare = { name: 'bare', decide: (place: number) => engine.effectOnly?.(place) === true };
    const forms = engine.effectOnly === undefined ? [own] : [own, bare];
    return forms.map((form) => ({ ...form, renew, requests: checked.answered }));
  });
  const timings = timeInTurns(timed, effort);

  const rows = others.map(({ adapter, checked }): Row => {
    const contestant = contestants.find((one) => one.adapter === adapter);
    const timing = timings.find((one) => one.name === adapter.name);
    if (contestant === undefined || timing === undefined) throw new Error(`${adapter.name} was not timed`);
    progress(`${name}: first decisions of ${adapter.name}`);
    const first = timeFirstDecisions(contestant.open, world, checked, effort.patienceMs * 3);
    return {
      engine: adapter.name,
      ns: timing.medianNs,
      decisionsPerTurn: timing.decisionsPerTurn,
      firstNs: first.meanNs,
      firstUsers: first.users,
      openNs: first.openNs,
      checked: adapter === ours ? (byReference?.checked ?? checked) : checked,
      heap: null,
    };
  });
  return {
    name,
    statements: world.statements,
    users: world.users,
    requests: world.requests.length,
    shares: sharesOf(expected),
    bareNs: timings.find((one) => one.name === 'bare')?.medianNs ?? null,
    rows,
  };
}

function withHeap(figures: WorldFigures): WorldFigures {
  const patienceMs = effort.patienceMs * 5;
  const rows = figures.rows.map((row): Row => {
    progress(`${figures.name}: heap of ${row.engine}`);
    return { ...row, heap: weighApart({ engine: row.engine, world: figures.name, seed, size, patienceMs }) };
  });
  return { ...figures, rows };
}

function compare(): void {
  console.log(
    `seed ${seed}, size ${size}, ${effort.rounds} rounds, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}`,
  );
  for (const { name, use } of chosen) console.log(`  ${name.padEnd(10)} ${use}`);

  const measured: WorldFigures[] = [];
  for (const name of values.worlds) {
    const figures = measureWorld(name);
    global.gc?.();
    const whole = values['no-heap'] || /^growth|wild$/.test(name) ? figures : withHeap(figures);
    measured.push(whole);
    progress('');
    console.log(writeTable(whole, ours.name));
  }

  const verdicts = judgeTargets(measured, ours.name);
  if (verdicts.length > 0) console.log(`\nTargets${size === 1 ? '' : ` (meant for size 1, this is ${size})`}:`);
  for (const { text, reached } of verdicts) console.log(`  ${reached ? 'reached' : 'MISSED '}  ${text}`);
  for (const line of disagreements.slice(0, 20)) console.error(line);
  if (disagreements.length > 0) console.error(`${disagreements.length} answers differ`);
  process.exitCode = disagreements.length > 0 || (values.strict && verdicts.some(({ reached }) => !reached)) ? 1 : 0;
}

if (values.weigh === null) compare();
else {
  const question = { engine: values.weigh, world: values.worlds[0] ?? '', seed, size, patienceMs: effort.patienceMs };
  console.log(JSON.stringify(weigh(question)));
}
