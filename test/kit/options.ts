/**
 * Options of the commands in `bench/` and of the long runs in `test/`: a line of help for each, numbers and choices that are
 * checked before anything starts. `--help` lists them and ends with status 0; what cannot be read ends with 2, before
 * anything was started, so that it is never taken for a run that found something, which ends with 1.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

/** How one option is read. */
export interface Reading<T> {
  /** What stands behind the name in the help; none for a flag. */
  readonly value: string | null;
  readonly help: string;
  readonly fallback: T;
  /** The fallback in words; empty where the help says it. */
  readonly meant: string;
  /** @throws InvalidArgumentError that says what may be written. */
  readonly read: (text: string) => T;
}

type Values<R> = { readonly [K in keyof R]: R[K] extends Reading<infer T> ? T : never };

/** A number from `least`, which is 1 unless given. */
export function number<F extends number | null>(
  help: string,
  fallback: F,
  { least = 1, whole = true }: { readonly least?: number; readonly whole?: boolean } = {},
): Reading<number | F> {
  const read = (text: string): number => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) if (value >= least) return value;
    throw new InvalidArgumentError(`Write a ${whole ? 'whole ' : ''}number from ${least}.`);
  };
  return { value: '<number>', help, fallback, meant: fallback === null ? '' : String(fallback), read };
}

/** The same number draws the same; without one, another is drawn each time, or `fallback` is taken. */
export function seed(fallback?: number): Reading<number> {
  const reading = number('what everything is drawn from', fallback ?? Date.now() & 0x7fffffff, { least: 0 });
  return fallback === undefined ? { ...reading, meant: 'another each time' } : reading;
}

/** One of some names. */
export function choice<const N extends string>(help: string, names: readonly N[], fallback: NoInfer<N>): Reading<N> {
  const read = (text: string): N => {
    const name = names.find((one) => one === text);
    if (name === undefined) throw new InvalidArgumentError(`Take one of ${names.join(', ')}.`);
    return name;
  };
  return { value: '<name>', help: `${help}: ${names.join(', ')}`, fallback, meant: fallback, read };
}

/** Which database something runs on. */
export function database(fallback: 'sqlite' | 'postgres'): Reading<'sqlite' | 'postgres'> {
  return choice('where', ['sqlite', 'postgres'], fallback);
}

/** Some of some names, in the order of those; all unless given. */
export function choices<N extends string>(help: string, names: readonly N[]): Reading<readonly N[]> {
  const read = (text: string): N[] => {
    const asked = text.split(',').map((name) => name.trim());
    const unknown = asked.find((name) => !names.some((one) => one === name));
    if (unknown !== undefined)
      throw new InvalidArgumentError(`There is no \`${unknown}\`; take of ${names.join(', ')}.`);
    return names.filter((name) => asked.includes(name));
  };
  return {
    value: '<names>',
    help: `${help}, with commas between: ${names.join(', ')}`,
    fallback: names,
    meant: 'all',
    read,
  };
}

export function text<F extends string | null>(help: string, fallback: F): Reading<string | F> {
  return { value: '<text>', help, fallback, meant: fallback ?? '', read: (written) => written };
}

/** False unless it is given. */
export function flag(help: string): Reading<boolean> {
  return { value: null, help, fallback: false, meant: '', read: () => true };
}

/**
 * @param usage what one writes before the options, such as `npm run replay --`
 * @param does what the command does, in a sentence
 * @param written the arguments; those of the process unless given
 */
export function readOptions<R extends Readonly<Record<string, Reading<unknown>>>>(
  usage: string,
  does: string,
  options: R,
  written: readonly string[] = process.argv.slice(2),
): Values<R> {
  const command = new Command(usage)
    .description(does)
    .usage('[options]')
    .allowExcessArguments(false)
    .showHelpAfterError('`--help` lists the options.')
    .exitOverride();
  const made = Object.entries(options).map(([name, { value, help, fallback, meant, read }]) => {
    const option = new Option(value === null ? `--${name}` : `--${name} ${value}`, help);
    if (value !== null) option.argParser(read);
    if (meant !== '') option.default(fallback, meant);
    command.addOption(option);
    return [name, option, fallback] as const;
  });
  try {
    command.parse(written, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
  const given: Readonly<Record<string, unknown>> = command.opts();
  const values = made.map(([name, option, fallback]) => {
    const value = given[option.attributeName()];
    // A flag that begins with `no-` is kept as the other one's being false.
    return [name, option.negate ? value === false : (value ?? fallback)] as const;
  });
  return Object.fromEntries(values) as Values<R>;
}
