/** TypeORM's picture of the tables, made from their descriptions: it writes rows by it, and compares schemas to it. */
import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { Kind } from '../iam/index.js';
import { columnName, columnsOf, kinds } from './rows.js';
import type { Dialect } from './sql.js';
import { tables } from './tables.js';

type Written = Record<string, unknown>;

export type Entities = { readonly [K in Kind]: EntitySchema<Written> };

export function entitiesFor(dialect: Dialect): Entities {
  const entities = {} as { [K in Kind]: EntitySchema<Written> };
  for (const kind of kinds) entities[kind] = entityOf(kind, dialect);
  return entities;
}

function entityOf(kind: Kind, dialect: Dialect): EntitySchema<Written> {
  const { name, named, unique, uniqueEverywhere, indexes, references } = tables[kind];
  const within = (properties: readonly string[]) =>
    kind === 'account' ? [...properties] : ['accountId', ...properties];
  const columns = Object.entries(columnsOf(kind));
  const uniques = [...(named === 'UNIQUE' ? [['nameKey']] : []), ...unique].map((properties) => within(properties));
  const orders = indexes.map((properties) => within(properties));
  return new EntitySchema<Written>({
    name: kind,
    tableName: name,
    columns: Object.fromEntries(
      columns.map(([property, column]): [string, EntitySchemaColumnOptions] => [
        property,
        {
          name: columnName(property),
          type: column.type,
          nullable: column.nullable,
          primary: property === 'id' || property === 'accountId',
          transformer: column.transformer,
          ...(column.compared && dialect === 'postgres' ? { collation: 'C' } : {}),
        },
      ]),
    ),
    uniques: [...uniques, ...uniqueEverywhere.map((property) => [property])].map((properties) => ({
      name: `uq_${name}_${properties
        .filter((property) => property !== 'accountId')
        .map(columnName)
        .join('_')}`,
      columns: properties,
    })),
    indices: orders.map((properties) => ({
      name: `ix_${name}_${properties
        .filter((property) => property !== 'accountId')
        .map(columnName)
        .join('_')}`,
      columns: properties,
    })),
    checks: columns.flatMap(([property, { values }]) =>
      values === null
        ? []
        : [
            {
              name: `ck_${name}_${columnName(property)}`,
              expression: `"${columnName(property)}" IN (${values.map((value) => `'${value}'`).join(', ')})`,
            },
          ],
    ),
    foreignKeys: [
      ...(kind === 'account'
        ? []
        : [
            {
              name: `fk_${name}_account`,
              target: 'account',
              columnNames: ['accountId'],
              referencedColumnNames: ['id'],
            },
          ]),
      ...references.map(({ property, kind: target }) => ({
        name: `fk_${name}_${columnName(property)}`,
        target,
        columnNames: ['accountId', property],
        referencedColumnNames: ['accountId', 'id'],
      })),
    ],
  });
}
