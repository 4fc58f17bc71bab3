/**
 * What must be so in a database whenever the server has started again. The trail is the measure: rows, events and the
 * revision are written together, so the rows must be exactly what the events say, and the events what was acknowledged.
 */
import { verifyTrail, type ChainedEvent } from '../../src/audit-chain/index.js';
import { secretColumns, unauditedColumns, unauditedKinds, type Kind } from '../../src/iam/index.js';
import { commandLineSource, inspectStore } from '../../src/store/index.js';
import { columnName, columnsOf, kinds, shadows } from '../../src/store/rows.js';
import { tables } from '../../src/store/tables.js';
import type { Notes } from './writers.js';

/** What is wrong, in words; empty when nothing is. */
export async function faultsOf(url: string, notes: Notes): Promise<readonly string[]> {
  const faults: string[] = [];
  const inspection = await inspectStore(url);
  if (inspection === null) return ['the database is gone'];
  try {
    for (const { id: accountId, name, revision } of await inspection.store.access.accounts()) {
      const { numberOfBreaks } = await verifyTrail(inspection.trail, accountId, []);
      if (numberOfBreaks > 0) faults.push(`the chain of ${name} has ${numberOfBreaks} breaks`);
      const events: ChainedEvent[] = [];
      for await (const event of inspection.trail.events(accountId)) events.push(event);
      faults.push(...faultsOfRevisions(events, revision));
      if (name === 'default') faults.push(...faultsOfNotes(events, notes));
      faults.push(...(await faultsOfRows(url, accountId, events)));
    }
  } finally {
    await inspection.close();
  }
  return faults;
}

function faultsOfRevisions(events: readonly ChainedEvent[], revision: number): readonly string[] {
  const faults: string[] = [];
  let last = { revision: 0, sequence: 0 };
  for (const event of events) {
    const at = { revision: Number(event.revision), sequence: Number(event.sequence) };
    const follows =
      at.revision === last.revision
        ? at.sequence === last.sequence + 1
        : at.revision > last.revision && at.sequence === 0;
    if (!follows && last.revision > 0)
      faults.push(`after event ${last.revision}.${last.sequence} comes ${at.revision}.${at.sequence}`);
    last = at;
  }
  if (last.revision > revision) faults.push(`the account is at revision ${revision}, its events at ${last.revision}`);
  return faults;
}

function faultsOfNotes(events: readonly ChainedEvent[], { acknowledged, groups, doubtful }: Notes): readonly string[] {
  const faults: string[] = [];
  const byRevision = grouped(events);
  for (const { revision, operation, kind, id, events: least } of acknowledged) {
    const found = byRevision.get(revision) ?? [];
    const its = found.filter((event) => event.operation === operation);
    if (!its.some((event) => event.targetKind === kind && event.targetId === id)) {
      faults.push(`${operation} of ${kind} ${id} was acknowledged at revision ${revision}, and is not there`);
    } else if (its.length < least)
      faults.push(`${operation} of ${kind} ${id} is there by half: ${its.length} of ${least} events`);
  }
  const now = new Map(
    events
      .filter(({ targetKind }) => targetKind === 'group')
      .map(({ targetId, after }) => [targetId, after as { description?: string } | null]),
  );
  for (const [id, wanted] of groups) {
    if (doubtful.has(id)) continue;
    const found = now.get(id);
    if (wanted?.description !== found?.description) {
      faults.push(
        `group ${id} says ${found?.description ?? 'nothing'}, and ${wanted?.description ?? 'nothing'} was acknowledged`,
      );
    }
  }
  return faults;
}

function grouped(events: readonly ChainedEvent[]): Map<number, ChainedEvent[]> {
  const groups = new Map<number, ChainedEvent[]>();
  for (const event of events)
    groups.set(Number(event.revision), [...(groups.get(Number(event.revision)) ?? []), event]);
  return groups;
}

/** Every row is what the last event of it says, and every such event has its row. */
async function faultsOfRows(
  url: string,
  accountId: string,
  events: readonly ChainedEvent[],
): Promise<readonly string[]> {
  const told = new Map<string, unknown>();
  for (const { targetKind, targetId, after } of events) told.set(`${String(targetKind)} ${String(targetId)}`, after);
  const faults: string[] = [];
  const source = commandLineSource(url);
  await source.initialize();
  try {
    for (const kind of kinds) {
      if (unauditedKinds.has(kind) || kind === 'account') continue;
      const rows = await source.query<Record<string, unknown>[]>(
        `SELECT * FROM "${tables[kind].name}" WHERE "account_id" = '${accountId}'`,
      );
      const there = new Map(rows.map((row) => [`${kind} ${String(row['id'])}`, row]));
      for (const [key, row] of there) {
        const image = told.get(key) ?? null;
        if (image === null) faults.push(`${key} is there and no event says so`);
        else if (shown(kind, imageOf(kind, row)) !== shown(kind, image))
          faults.push(`${key} is not what its last event says`);
      }
      for (const [key, image] of told) {
        if (key.startsWith(`${kind} `) && image !== null && !there.has(key))
          faults.push(`${key} is gone and no event says so`);
      }
    }
  } finally {
    await source.destroy();
  }
  return faults;
}

function imageOf(kind: Kind, row: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(columnsOf(kind))
      .filter(([name]) => !shadows.includes(name))
      .map(([name, column]) => [name, column.transformer.from(row[columnName(name)])]),
  );
}

function shown(kind: Kind, image: object): string {
  const left: readonly string[] = [...(secretColumns[kind] ?? []), ...(unauditedColumns[kind] ?? [])];
  const entries = Object.entries(image).filter(([name]) => !left.includes(name));
  return JSON.stringify(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
