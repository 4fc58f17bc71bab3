/**
 * The data under `schema/`, read once when the module loads. A broken file stops the program with the row at fault:
 * a permissions service that runs on half a catalogue would refuse, or worse allow, in silence.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { accessLevels, segmentsOf, type AccessLevel, type ActionRow } from './action-row.js';

// Works from src/catalogue and from dist/catalogue alike: both lie two folders below the package's root.
const schemaFolder = new URL('../../schema/', import.meta.url);

export type JsonObject = Readonly<Record<string, unknown>>;

/** One file below `schema/`, which must hold a JSON array of objects. */
export function readRows(path: string): readonly JsonObject[] {
  const value = readJson(path);
  if (!Array.isArray(value)) throw new Error(`schema/${path}: expected an array of objects`);
  return value.map((row: unknown, index) => {
    if (!isObject(row)) throw new Error(`schema/${path}: row ${index} is not an object`);
    return row;
  });
}

/** One file below `schema/`, which must hold a JSON object. */
export function readObject(path: string): JsonObject {
  const value = readJson(path);
  if (!isObject(value)) throw new Error(`schema/${path}: expected an object`);
  return value;
}

/** Every action of the platform and of Bailiwick, service by service in the order of the files' names. */
export function readActionRows(): readonly ActionRow[] {
  const files = readdirSync(fileURLToPath(new URL('actions/', schemaFolder)))
    .filter((file) => file.endsWith('.json'))
    .sort();
  if (files.length === 0) throw new Error('schema/actions: no catalogue file found; is the package complete?');
  return files.flatMap((file) => {
    const service = file.slice(0, -'.json'.length);
    return readRows(`actions/${file}`).map((row) => actionRow(row, service, `schema/actions/${file}`));
  });
}

/** Reads typed properties off a row; every complaint names the file and the row. */
export class RowReader {
  constructor(
    private readonly row: JsonObject,
    private readonly place: string,
  ) {}

  text(key: string): string {
    const value = this.row[key];
    if (typeof value !== 'string') throw this.complaint(key, 'a string');
    return value;
  }

  optionalText(key: string): string | null {
    return this.row[key] === undefined ? null : this.text(key);
  }

  /** False when absent. */
  flag(key: string): boolean {
    const value = this.row[key] ?? false;
    if (typeof value !== 'boolean') throw this.complaint(key, 'a boolean');
    return value;
  }

  /** Empty when absent. */
  texts(key: string): readonly string[] {
    const value: unknown = this.row[key] ?? [];
    if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
      throw this.complaint(key, 'an array of strings');
    }
    return value;
  }

  object(key: string): JsonObject {
    const value = this.row[key];
    if (!isObject(value)) throw this.complaint(key, 'an object');
    return value;
  }

  oneOf<const T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.text(key);
    const found = allowed.find((entry) => entry === value);
    if (found === undefined) throw this.complaint(key, `one of ${allowed.join(', ')}`);
    return found;
  }

  private complaint(key: string, expected: string): Error {
    const shown = JSON.stringify(this.row).slice(0, 200);
    return new Error(`${this.place}: expected \`${key}\` to be ${expected} in ${shown}`);
  }
}

function actionRow(row: JsonObject, service: string, place: string): ActionRow {
  const read = new RowReader(row, place);
  const name = read.text('action');
  const segments = segmentsOf(name);
  const shape = /^[a-z][a-z0-9-]*:[A-Za-z0-9_-]*:[A-Za-z0-9_-]+$/;
  if (!shape.test(name)) throw new Error(`${place}: \`${name}\` is not service:resourceType:operation`);
  if (segments.service !== service) throw new Error(`${place}: \`${name}\` belongs into a file of its own service`);
  if (segments.resourceType !== read.text('resourceType')) {
    throw new Error(`${place}: \`${name}\` disagrees with its resourceType \`${read.text('resourceType')}\``);
  }
  return {
    name,
    ...segments,
    accessLevel: accessLevel(read),
    global: read.flag('global'),
    projectScope: read.flag('projectScope'),
    enterpriseProjectScope: read.flag('enterpriseProjectScope'),
    description: read.text('description'),
    dependsOn: read.texts('dependsOn'),
    conditionKeys: read.texts('conditionKeys'),
    aliasOf: read.optionalText('alias'),
    // `usedHere` marks a name that is old in the vendor's world and yet asked by Bailiwick: warning of it would mislead.
    legacy: read.flag('legacy') && !read.flag('usedHere'),
    origin: service === 'bailiwick' ? 'BAILIWICK' : 'PLATFORM',
  };
}

function accessLevel(read: RowReader): AccessLevel {
  const published = read.oneOf('accessLevel', ['List', 'Read', 'Write', 'Tagging', 'Permission_management']);
  const level = accessLevels.find((candidate) => candidate === published.toUpperCase());
  if (level === undefined) throw new Error(`access level \`${published}\` has no counterpart in accessLevels`);
  return level;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(fileURLToPath(new URL(path, schemaFolder)), 'utf8'));
  } catch (cause) {
    throw new Error(`schema/${path} cannot be read as JSON`, { cause });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
