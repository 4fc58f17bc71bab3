/** How values of options are read, where they are more than a text. */
import { InvalidArgumentError } from 'commander';

/** Of an option that can be given several times. */
export function listed(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Of an event in a trail. */
export function positionOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write the position of an event, or 0.');
}
