/** Entries are read strictly, and what is not understood is kept. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryProblem, formatCatalog, parseCatalog } from '../../src/catalog/records.js';
import { ReshelveError } from '../../src/errors.js';
import { anyText, entryOf } from './support.js';

const PATH = '/srv/backups/backup_logs.json';

function damage(text: string): string {
  try {
    parseCatalog(text, PATH);
  } catch (error) {
    expect(error).toBeInstanceOf(ReshelveError);
    expect(error).toMatchObject({ code: 'CATALOG_DAMAGED', exitCode: 4 });
    const { message } = error as ReshelveError;
    expect(message.startsWith(`${PATH} is damaged: `)).toBe(true);
    return message.slice(`${PATH} is damaged: `.length);
  }
  throw new Error('expected CATALOG_DAMAGED but found a catalog');
}

describe('a catalog', () => {
  test('is a JSON array, an entry a line-broken object: for jq and for eyes', () => {
    const text = formatCatalog([entryOf()]);
    expect(text.startsWith('[\n  {\n    "id": "run-1",\n    "type": "full",\n')).toBe(true);
    expect(text.endsWith('\n  }\n]\n')).toBe(true);
    expect(formatCatalog([])).toBe('[]\n');
    expect(parseCatalog(text, PATH)).toEqual([entryOf()]);
  });

  test('unknown fields, at every level, and the order of fields survive', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.jsonValue()), (unknown) => {
        const text = formatCatalog([
          { ...unknown, ...entryOf({ status: 'failed', error: { code: 'IO', message: '' } }) },
          { ...entryOf({ id: 'b' }), coordinates: coordinatesWith(unknown), ...reserved(unknown) },
        ]);
        expect(formatCatalog(parseCatalog(text, PATH))).toBe(text);
      }),
    );
  });

  test.each([
    ['', 'expected a JSON array but found an empty file'],
    ['[', 'expected a JSON array but found text that is not JSON'],
    ['{}', 'expected a JSON array but found a JSON object'],
    ['null', 'expected a JSON array but found null'],
    ['[1]', /^entry 1: Invalid type: Expected Object/],
    [formatCatalog([entryOf(), entryOf()]), 'entry 2: the id run-1 occurs twice'],
  ])('%j is damaged', (text, message) => {
    expect(damage(text)).toMatch(message);
  });

  test('cut anywhere, it is damaged', () => {
    const text = formatCatalog([entryOf(), entryOf({ id: 'b' })]);
    for (let length = 0; length < text.length - 1; length++) damage(text.slice(0, length));
  });
});

function coordinatesWith(unknown: Record<string, unknown>): {
  binlogFile: string;
  position: number;
  gtidSet: null;
  serverUuid: null;
} {
  const known = { binlogFile: 'binlog.000002', position: 157, gtidSet: null, serverUuid: null };
  return { ...unknown, ...known };
}

/** Only fields that no version knows. */
function reserved(unknown: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(unknown).map(([name, value]) => [`x-${name}`, value]));
}

describe('an entry', () => {
  test.each([
    { file: null, sizeBytes: null },
    { file: '/tmp/foreign dump.sql', type: 'restore' },
    { file: 'a..b', emergencyFile: 'emergency/pre_restore_x_20260102_020000.sql.gz' },
    { startedAt: '2026-01-02T02:00:00Z' },
    { rows: Number.MAX_SAFE_INTEGER, tables: 0, objects: { views: 2 }, durationMs: 0.5 },
    { verification: { status: 'success', method: 'restore', runId: 'run-2' } },
  ] as const)('sound: %j', (fields) => {
    expect(entryProblem(entryOf(fields))).toBeUndefined();
  });

  test.each([
    ['id', ''],
    ['type', 'backup'],
    ['status', 'ok'],
    ['file', undefined],
    ['file', '../../etc/passwd'],
    ['file', 'a/../../b'],
    ['file', 'a\0b'],
    ['emergencyFile', '..'],
    ['startedAt', '2026-01-02 02:00:00'],
    ['startedAt', '2026-13-02T02:00:00Z'],
    ['finishedAt', 1_767_319_200_000],
    ['durationMs', -1],
    ['sizeBytes', 1.5],
    ['sizeBytes', 2 ** 53],
    ['host', null],
    ['trigger', 'cron'],
    ['sha256', 'ABC'],
    ['verification', { status: 'maybe' }],
    ['rows', '12'],
  ])('unsound: %s = %j', (field, value) => {
    expect(entryProblem({ ...entryOf(), [field]: value })).toMatch(new RegExp(`^${field}`));
  });

  test('an error stands exactly with the status failed', () => {
    const error = { code: 'CONNECT', message: 'x' };
    expect(entryProblem({ ...entryOf(), error })).toMatch(/exactly where/);
    expect(entryProblem(entryOf({ status: 'failed' }))).toMatch(/exactly where/);
    expect(entryProblem(entryOf({ status: 'failed', error, file: null }))).toBeUndefined();
  });
});
