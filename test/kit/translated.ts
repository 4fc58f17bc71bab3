/**
 * The tests import the program as it was translated for the whole run, by Node itself: what they ask is then what runs
 * when the program is started, a worker that has loaded it keeps it, and no name is reached through Vitest's record of
 * imports.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Vite } from 'vitest/node';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = `${root}src/`;

/**
 * Where a run of this process puts the program: beside `src`, because it finds `schema` and `dist` from where it is; of
 * this run alone, because another run in the same clone may see other sources.
 */
export const runFolder = `${root}.program-${process.pid}`;

/** How the program is translated, here as for `npm start`: what is tested is what is started. */
export const translation = { outbase: 'src', format: 'esm', platform: 'node', target: 'node20' } as const;

export function translated(): Vite.Plugin {
  const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly 'bailiwick-source': string }>>;
  };
  /** The file behind a public name of the package, as the examples import it. */
  const publicFile = (source: string): string | null => {
    const entry = source.startsWith(`${name}/`) ? exports[`.${source.slice(name.length)}`] : undefined;
    return typeof entry === 'object' ? `${root}${entry['bailiwick-source'].slice('./'.length)}` : null;
  };
  return {
    name: 'bailiwick:translated',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (importer === undefined) return null;
      const file =
        publicFile(source) ?? (await this.resolve(source, importer, { ...options, skipSelf: true }))?.id ?? '';
      if (!file.startsWith(sources)) return null;
      const [path = ''] = file.slice(sources.length).split('?');
      return { id: `${runFolder}/${path.replace(/\.ts$/, '.js')}`, external: true };
    },
  };
}
