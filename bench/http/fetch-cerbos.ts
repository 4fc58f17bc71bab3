/** Fetches Cerbos from the npm registry for `npm run bench:http`, which leaves it out otherwise. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cerbosFolder, cerbosPackage, cerbosVersion } from './cerbos-package.js';

mkdirSync(cerbosFolder, { recursive: true });
const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', cerbosFolder];
execFileSync('npm', ['install', ...options, `${cerbosPackage}@${cerbosVersion}`], { stdio: 'inherit' });
console.log(`${cerbosPackage} ${cerbosVersion} is in ${cerbosFolder}`);
