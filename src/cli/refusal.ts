/** How a command ends when it will not do what it was asked: one line that says what to do next, and status 1. */
import { SettingsRefused } from '../settings.js';

/** Meant for the person at the terminal; shown without a stack. */
export class StartRefused extends Error {
  constructor(message: string) {
    // One line, whatever a library had to say.
    super(message.replaceAll(/\s*\n\s*/g, '; '));
    this.name = 'StartRefused';
  }
}

/** The command was used wrongly, which ends it with status 2 as what the parser of arguments refuses does. */
export class UsageRefused extends StartRefused {}

/** What stands on the terminal. A defect keeps its stack; a refusal is for the reader, not for us. */
export function describeFailure(error: unknown): string {
  if (error instanceof SettingsRefused) return error.problems.map((problem) => `bailiwick: ${problem}\n`).join('');
  if (error instanceof StartRefused) return `bailiwick: ${error.message}\n`;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `bailiwick: this is a defect; please report it with what follows\n${what}\n`;
}

export function isSystemError(error: unknown, code?: string): error is NodeJS.ErrnoException & { code: string } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return code === undefined || error.code === code;
}
