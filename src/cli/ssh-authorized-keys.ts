#!/usr/bin/env node
/** `bailiwick ssh-authorized-keys` as a program of its own, for an installation that has nothing else of ours. */
import { printAuthorizedKeys } from './authorized-keys.js';

await printAuthorizedKeys(process.argv.slice(2));
