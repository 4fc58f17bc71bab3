/**
 * `bailiwick doctor`: what is unsafe in this installation. Looks at the settings, the process, the files, the database
 * and the accounts in it; changes nothing, and can run beside the server.
 */
import { SettingsRefused, readSettings } from '../settings.js';
import { printBackupAdvice, type BackupAdvice } from './doctor-backup.js';
import { databaseFindings } from './doctor-database.js';
import { fileFindings } from './doctor-files.js';
import { machineFindings, settingsFindings } from './doctor-settings.js';
import { countsOf, finding, inOrder, type Finding } from './findings.js';
import type { Machine } from './machine.js';

/** Everything that is found, the worst first. */
export async function diagnose(machine: Machine): Promise<readonly Finding[]> {
  const findings = [...(await machineFindings(machine))];
  try {
    const settings = readSettings(machine.environment);
    const database = await databaseFindings(settings, machine);
    findings.push(
      ...settingsFindings(settings, machine, database.inUse),
      ...(await fileFindings(settings, machine, database.inUse)),
      ...database.findings,
    );
  } catch (error) {
    // Without settings nobody knows where to look further.
    if (!(error instanceof SettingsRefused)) throw error;
    findings.push(...error.problems.map((problem) => finding('SETTINGS_REFUSED', problem)));
  }
  return inOrder(findings);
}

/** 0: nothing that must be mended; 1: warnings, when they are to count; 2: errors. */
export function exitStatus(findings: readonly Finding[], strict: boolean): 0 | 1 | 2 {
  const { ERROR, WARNING } = countsOf(findings);
  if (ERROR > 0) return 2;
  return strict && WARNING > 0 ? 1 : 0;
}

/** For people. */
export function printFindings(findings: readonly Finding[], backup: BackupAdvice | null = null): string {
  const { ERROR, WARNING, NOTE } = countsOf(findings);
  const advice = backup === null ? '' : `\n${printBackupAdvice(backup)}`;
  if (findings.length === 0) return `nothing unsafe was found\n${advice}`;
  const blocks = findings.map(({ severity, code, what, why, advice, account }) => {
    const where = account === null ? '' : `account \`${account}\`: `;
    return `${severity.toLowerCase()} ${code}: ${where}${what}\n  why: ${why}\n  do:  ${advice}\n`;
  });
  return `${blocks.join('\n')}\n${counted(ERROR, 'error')}, ${counted(WARNING, 'warning')}, ${counted(NOTE, 'note')}\n${advice}`;
}

/** For programs; the names here do not change. */
export function printFindingsAsJson(findings: readonly Finding[], backup: BackupAdvice | null = null): string {
  const { ERROR: errors, WARNING: warnings, NOTE: notes } = countsOf(findings);
  const shown = findings.map(({ severity, code, account, what, why, advice, subjects }) => {
    return { severity, code, account, what, why, advice, subjects };
  });
  return `${JSON.stringify({ errors, warnings, notes, findings: shown, backup }, null, 2)}\n`;
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
