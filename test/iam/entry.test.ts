import { describe, expect, it } from 'vitest';
import { mayEnter, type EntryFacts } from '../../src/iam/index.js';
import table from './entry.json' with { type: 'json' };

describe('entry to a workspace (rule 2, docs/domain.md section g3)', () => {
  it.each(table)('$says', (row) => {
    expect(
      mayEnter({
        visibility: row.visibility as EntryFacts['visibility'],
        status: (row.status ?? 'NORMAL') as EntryFacts['status'],
        root: row.who === 'root',
        administrator: row.who === 'admin',
        creator: row.who === 'creator',
        listed: row.who === 'listed',
      }),
    ).toBe(row.enters);
  });
});
