/**
 * Bundles what runs in processes of its own, and whatever else is run, as plain JavaScript: the compiler that runs
 * TypeScript directly names every function anew when it is made, which would be measured. The program itself is not
 * bundled but imported from where it was built, as it is shipped.
 *
 *     tsx bench/http/build.ts
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = join(root, 'bench/http');

/** Folder in which the bundles of the scripts lie. */
export const bundles = join(root, 'node_modules/.cache/bench-http');

/** @param program folder of the built program, `dist` or one that is laid out like it */
export async function bundle(outdir: string, program: string): Promise<void> {
  const servers = readdirSync(join(here, 'servers')).filter((name) => name.endsWith('.ts'));
  await build({
    absWorkingDir: root,
    entryPoints: [
      ...['run', 'start', 'growth', 'seeding', 'deciding', 'load'].map((name) => join(here, `${name}.ts`)),
      ...servers.map((name) => join(here, 'servers', name)),
    ],
    outbase: here,
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    plugins: [
      {
        name: 'built program',
        setup: (bundling) => {
          bundling.onResolve({ filter: /\/src\/.*\.js$/ }, ({ path }) => ({
            path: pathToFileURL(join(program, path.slice(path.indexOf('/src/') + '/src/'.length))).href,
            external: true,
          }));
        },
      },
    ],
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundle(bundles, join(root, 'dist'));
