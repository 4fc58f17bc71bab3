/** What is unsafe about the files of this installation: who may read and change them, and where they lie. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Settings } from '../settings.js';
import { finding, type Finding } from './findings.js';
import { databaseFile } from './installation-files.js';
import type { Machine } from './machine.js';

const keyLength = 32;

/** Bytes below which there is no room for a day, and for a minute. */
const room = { little: 1024 ** 3, none: 100 * 1024 ** 2 } as const;

export async function fileFindings(settings: Settings, machine: Machine, inUse: boolean): Promise<readonly Finding[]> {
  const key = resolve(settings.secretKeyFile);
  const database = databaseFile(settings);
  const findings = [...(await keyFindings(key, machine, inUse)), ...(await databaseFileFindings(database, machine))];
  if (database !== null && dirname(key) === dirname(database) && (await machine.file(key)) !== null) {
    const what = `the secret key and the database are both in \`${dirname(key)}\``;
    findings.push(finding('SECRET_KEY_BESIDE_DATABASE', what));
  }
  const folders = [...new Set([key, ...(database === null ? [] : [database])].map((path) => dirname(path)))];
  for (const folder of folders) {
    const facts = await machine.file(folder);
    // The sticky bit lets nobody remove or rename what is another's.
    if (facts === null || (facts.mode & 0o022) === 0 || (facts.mode & 0o1000) !== 0) continue;
    const what = `others may write into \`${folder}\` (mode ${modeOf(facts.mode)})`;
    findings.push(finding('FOLDER_OPEN', what, { subjects: [folder] }));
  }
  return [...findings, ...(await socketFindings(settings.sshSocket, machine))];
}

/** Its group may be that of sshd's command. The sticky bit does not help here: a socket that is not there can be made. */
async function socketFindings(socket: string | null, machine: Machine): Promise<readonly Finding[]> {
  const folder = socket === null ? null : dirname(socket);
  const facts = folder === null ? null : await machine.file(folder);
  if (folder === null || facts === null || (facts.mode & 0o002) === 0) return [];
  const what = `others may write into \`${folder}\` (mode ${modeOf(facts.mode)})`;
  return [finding('SSH_FOLDER_OPEN', what, { subjects: [folder] })];
}

async function keyFindings(key: string, machine: Machine, inUse: boolean): Promise<readonly Finding[]> {
  const facts = await machine.file(key);
  if (facts === null) {
    return inUse
      ? [finding('SECRET_KEY_MISSING', `there is no secret key file \`${key}\` beside a database in use`)]
      : [];
  }
  if (facts.folder || facts.size !== keyLength) {
    const found = facts.folder ? 'is a folder' : `has ${facts.size} bytes, not ${keyLength}`;
    return [finding('SECRET_KEY_UNUSABLE', `\`${key}\` ${found}`)];
  }
  const findings: Finding[] = [];
  if ((facts.mode & 0o077) !== 0) {
    findings.push(finding('SECRET_KEY_OPEN', `\`${key}\` is open to others (mode ${modeOf(facts.mode)})`));
  }
  const bytes = await readFile(key).catch(() => null);
  if (bytes === null) findings.push(finding('SECRET_KEY_UNUSABLE', `\`${key}\` cannot be read by this user`));
  // Among 32 random bytes there are fewer than 16 different ones less often than anybody will ever start a server.
  else if (new Set(bytes).size < 16) findings.push(finding('SECRET_KEY_UNUSABLE', `\`${key}\` is not random`));
  return findings;
}

async function databaseFileFindings(database: string | null, machine: Machine): Promise<readonly Finding[]> {
  if (database === null) return [];
  const findings: Finding[] = [];
  const open: string[] = [];
  for (const path of [database, `${database}-wal`, `${database}-shm`]) {
    const facts = await machine.file(path);
    if (facts !== null && (facts.mode & 0o077) !== 0) open.push(path);
  }
  if (open.length > 0) {
    const names = open.map((path) => `\`${path}\``).join(', ');
    findings.push(finding('DATABASE_OPEN', `others may read the database: ${names}`, { subjects: open }));
  }
  const free = await machine.freeBytes(dirname(database));
  if (free !== null && free < room.little) {
    const what = `${Math.floor(free / 1024 ** 2)} MiB are free where the database is`;
    findings.push(finding(free < room.none ? 'DISK_FULL' : 'DISK_NEARLY_FULL', what));
  }
  return findings;
}

function modeOf(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}
