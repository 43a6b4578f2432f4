/** What is marked among transactions, and what is known of the size of tables. */
import { describe, expect, it } from 'vitest';
import type { LoggedTransaction, TableRows } from '../../src/binlog/logged-transaction.js';
import { TransactionMerger } from '../../src/binlog/logged-transaction.js';
import type { Marker } from '../../src/binlog/marker.js';
import { DROPS_PART, marksOf, MASS_ROWS, TableSizes } from '../../src/binlog/transaction-marks.js';
import { dropsPart } from '../../src/sql/drops-part.js';

const MARKER: Marker = {
  gtid: null,
  file: 'binlog.000001',
  start: 4,
  end: 100,
  at: '1000000',
  kind: 'rows',
  tables: [],
};

function transaction(
  change: Partial<LoggedTransaction>,
  rows: Partial<TableRows> = {},
): LoggedTransaction {
  return {
    gtid: null,
    file: 'binlog.000001',
    start: 4,
    end: 100,
    at: 0n,
    isInSeconds: false,
    kind: 'rows',
    tables: [{ name: 't', inserted: 0, updated: 0, deleted: 0, ...rows }],
    ...change,
  };
}

function sizes(rows?: number): TableSizes {
  const known = new TableSizes();
  known.reset(rows === undefined ? [] : [{ name: 't', rows }]);
  return known;
}

describe('marks', () => {
  it.each([
    [MASS_ROWS, undefined, true],
    [MASS_ROWS - 1, undefined, false],
    [MASS_ROWS, 10_000_000, true],
    [10, 20, true],
    [10, 21, false],
    [9, 9, false],
    [12, 12, true],
    [500, 1001, false],
  ] as const)('%i rows of a table of %s: %s', (rows, of, isMarked) => {
    for (const kind of ['deleted', 'updated'] as const) {
      const marks = marksOf(transaction({}, { [kind]: rows }), sizes(of));
      const mark = kind === 'deleted' ? 'mass-delete' : 'mass-update';
      expect(marks).toEqual(
        isMarked ? [{ kind: mark, table: 't', rows, ...(of === undefined ? {} : { of }) }] : [],
      );
    }
    expect(marksOf(transaction({}, { inserted: rows }), sizes(of))).toEqual([]);
  });

  it('definitions that take rows or values away', () => {
    const ddl = (change: Partial<LoggedTransaction>): string[] =>
      marksOf(transaction({ kind: 'ddl', ...change }), sizes(5)).map(({ kind }) => kind);
    expect(ddl({ ddl: 'drop', statement: 'DROP TABLE' })).toEqual(['drop']);
    expect(ddl({ ddl: 'truncate' })).toEqual(['truncate']);
    expect(ddl({ ddl: 'alter', statement: `ALTER TABLE ${DROPS_PART}` })).toEqual(['drop-part']);
    expect(ddl({ ddl: 'alter', statement: 'ALTER TABLE' })).toEqual([]);
    expect(ddl({ ddl: 'create' })).toEqual([]);
  });

  it.each([
    ['ALTER TABLE t DROP COLUMN a', true],
    ['alter table t add b int, drop `column`', true],
    ['ALTER TABLE t DROP a', true],
    ['ALTER TABLE t DROP PARTITION p1', true],
    ['ALTER TABLE t TRUNCATE PARTITION p1', true],
    ['ALTER TABLE t DROP INDEX a, DROP KEY b, DROP PRIMARY KEY, DROP FOREIGN KEY c', false],
    ["ALTER TABLE t COMMENT 'DROP COLUMN a'", false],
    ['ALTER TABLE t ALTER a DROP DEFAULT, DROP CHECK d, DROP CONSTRAINT e', false],
    ['ALTER TABLE t /* DROP a */ ADD `drop` INT', false],
  ])('%s: %s', (sql, expected) => {
    expect(dropsPart(Buffer.from(sql))).toBe(expected);
  });

  it('sizes follow the log, and are forgotten where it does not tell', () => {
    const known = sizes(100);
    known.apply(transaction({}, { inserted: 10, deleted: 30 }));
    expect(known.of('t')).toBe(80);
    known.applySum([{ name: 't', inserted: 5, updated: 0, deleted: 0, ddl: false }]);
    expect(known.of('t')).toBe(85);
    known.apply(transaction({ kind: 'ddl', ddl: 'truncate' }));
    expect(known.of('t')).toBe(0);
    known.apply(transaction({}, { deleted: 3 }));
    expect(known.of('t')).toBe(0);
    known.applySum([{ name: 't', inserted: 5, updated: 0, deleted: 0, ddl: true }]);
    expect(known.of('t')).toBeUndefined();
    known.apply(transaction({ kind: 'ddl', ddl: 'create' }, { inserted: 7 }));
    expect(known.of('t')).toBe(7);
    known.apply(transaction({ kind: 'ddl', ddl: 'drop' }));
    expect(known.of('t')).toBeUndefined();
  });
});

describe('the parts of a transaction', () => {
  it('are put together, whatever stands in the last one', () => {
    const merger = new TransactionMerger();
    const parts: Marker[] = [
      { ...MARKER, end: null, continues: true, tables: [{ name: 'a', deleted: 5 }] },
      {
        ...MARKER,
        end: null,
        continued: true,
        continues: true,
        tables: [
          { name: 'a', deleted: 6 },
          { name: 'b', inserted: 1 },
        ],
      },
      { ...MARKER, continued: true },
    ];
    for (const part of parts) expect(merger.push(part)).toBeUndefined();
    const next = merger.push({
      ...MARKER,
      start: 100,
      kind: 'ddl',
      ddl: 'drop',
      tables: [{ name: 'a' }],
    });
    merger.describe('DROP TABLE');
    merger.describe('ALTER TABLE');
    expect(next).toMatchObject({
      end: 100,
      kind: 'rows',
      tables: [
        { name: 'a', inserted: 0, updated: 0, deleted: 11 },
        { name: 'b', inserted: 1, updated: 0, deleted: 0 },
      ],
    });
    expect(merger.finish()).toMatchObject({ kind: 'ddl', ddl: 'drop', statement: 'DROP TABLE' });
    expect(merger.finish()).toBeUndefined();
  });
});
