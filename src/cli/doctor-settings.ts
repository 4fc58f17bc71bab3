/** What is unsafe in the settings and in the process that reads them. */
import { usualSettings, weakness } from '../iam/index.js';
import type { Settings } from '../settings.js';
import { finding, type Finding } from './findings.js';
import type { Machine } from './machine.js';

/** When each line of Node has its last release (github.com/nodejs/Release); odd ones live half a year. */
const endsOfLife: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
};

const oldestNode = [20, 19] as const;

/** Below this a burst of clients meets the limit; it is what old systems give a process. */
const fewFiles = 4_096;

/** Days for which one key may sign before it is worth a word. */
const longPeriod = 90;

const day = 24 * 60 * 60 * 1000;

export async function machineFindings(machine: Machine): Promise<readonly Finding[]> {
  const findings: Finding[] = [...nodeFindings(machine)];
  if (machine.userId === 0)
    findings.push(finding('RUNNING_AS_ROOT', 'this process runs as root, and so may the server'));
  const { NODE_TLS_REJECT_UNAUTHORIZED: checks, NODE_OPTIONS: options = '' } = machine.environment;
  if (checks === '0') findings.push(finding('TLS_CHECKS_OFF', 'certificates of other servers are not checked'));
  if (/(^|\s)--inspect(?!-publish-uid)/.test(options)) {
    findings.push(finding('INSPECTOR_OPEN', 'NODE_OPTIONS opens the inspector of Node'));
  }
  const files = await machine.openFiles();
  if (files !== null && files < fewFiles) {
    findings.push(finding('OPEN_FILES_FEW', `a process started here may open ${files} files`));
  }
  return findings;
}

function nodeFindings({ nodeVersion, now }: Machine): readonly Finding[] {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return [finding('NODE_TOO_OLD', `this is Node ${nodeVersion}`)];
  }
  const end = endsOfLife[major];
  if (end === undefined || now() < Date.parse(end)) return [];
  return [finding('NODE_END_OF_LIFE', `Node ${nodeVersion} has had no releases since ${end}`)];
}

/** @param inUse the database has an account, so that the settings of the first start do nothing any more */
export function settingsFindings(settings: Settings, machine: Machine, inUse: boolean): readonly Finding[] {
  const findings: Finding[] = [];
  const { adminPassword, adminName, corsOrigins, host, tokenKeyDays } = settings;
  if (adminPassword !== null) {
    const weak = weaknessOf(adminPassword, adminName);
    if (weak !== null) findings.push(finding('ADMIN_PASSWORD_WEAK', `BAILIWICK_ADMIN_PASSWORD is weak: ${weak}`));
    if (inUse) findings.push(finding('ADMIN_PASSWORD_SET', 'BAILIWICK_ADMIN_PASSWORD is still set'));
  }
  const beyond = !isLoopback(host);
  // Who has said which proxies stand before the server has something there to end TLS.
  if (beyond && settings.trustedProxies.length === 0) {
    findings.push(finding('LISTENS_BEYOND_LOOPBACK', `the server listens on \`${host}\`, and no proxy is named`));
  }
  const plain = corsOrigins.filter((origin) => origin.startsWith('http:') && (beyond || !isLoopback(hostOf(origin))));
  if (plain.length > 0) {
    const what = `pages that come by http may read answers: ${plain.join(', ')}`;
    findings.push(finding('CORS_ORIGIN_WITHOUT_TLS', what, { subjects: plain }));
  }
  if (beyond && settings.studio) {
    findings.push(finding('STUDIO_BEYOND_LOOPBACK', `Apollo Studio may use the server, which listens on \`${host}\``));
  }
  if (beyond && settings.explorer) {
    findings.push(finding('EXPLORER_BEYOND_LOOPBACK', `the explorer is on, and the server listens on \`${host}\``));
  }
  if (settings.metricsPort !== null && !isLoopback(settings.metricsHost)) {
    const what = `the metrics can be read at \`${settings.metricsHost}\``;
    findings.push(finding('METRICS_BEYOND_LOOPBACK', what));
  }
  if (settings.apolloGraphRef !== null) {
    findings.push(finding('APOLLO_REPORTING', `usage is reported to Apollo for graph \`${settings.apolloGraphRef}\``));
  }
  if (tokenKeyDays > longPeriod) {
    const age = Math.floor((machine.now() % (tokenKeyDays * day)) / day);
    const what = `one key signs tokens for ${tokenKeyDays} days; the present one is ${age} days old`;
    findings.push(finding('TOKEN_KEY_PERIOD_LONG', what));
  }
  if (['error', 'fatal', 'silent', 'warn'].includes(settings.logLevel)) {
    findings.push(finding('LOG_QUIET', `BAILIWICK_LOG_LEVEL is \`${settings.logLevel}\``));
  }
  return findings;
}

/** Of addresses and names that stay on this machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

function hostOf(origin: string): string {
  return new URL(origin).hostname;
}

/** Words that guessers try first, with whatever digits and signs around them. */
const guessed =
  /^(admin|administrator|bailiwick|change(me|it)|default|letmein|pass(word|wort)?|qwerty|qwertz|root|secret|test|welcome)+$/;

/** Why a password is easily guessed, without repeating it; null when it is not. */
function weaknessOf(password: string, userName: string): string | null {
  const letters = password
    .toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll('@', 'a')
    .replaceAll('$', 's')
    .replaceAll(/[^a-z]/g, '');
  if (guessed.test(letters)) return 'it is one of the words that are tried first';
  return weakness(password, userName, {
    ...usualSettings('', 0),
    passwordKinds: 3,
    passwordLength: 12,
    passwordRepeats: 3,
  });
}
