/** The text of a journal under every cut and every flipped bit, and the state that follows from it. */
import { describe, expect, test } from 'vitest';
import { encodeRecord, parseJournal } from '../../src/catalog/recovery-journal-text.js';
import { isFinished, isInBetween, recoveryState } from '../../src/catalog/recovery-journal.js';
import type { RecoveryRecord, RecoveryStep } from '../../src/catalog/recovery-journal.js';
import { BEGIN, EMERGENCY_FILE, recordsOf, ROLLED_BACK } from './journal-records.js';

function encodeAll(records: readonly RecoveryRecord[]): Buffer {
  let checksum = '';
  const lines = records.map((record) => {
    const encoded = encodeRecord(record, checksum);
    ({ checksum } = encoded);
    return encoded.line;
  });
  return Buffer.from(lines.join(''), 'utf8');
}

const RECORDS = recordsOf(ROLLED_BACK);
const TEXT = encodeAll(RECORDS);

test('what was written is read back', () => {
  const parsed = parseJournal(TEXT, 'j');
  expect(parsed.records.map(({ at, kind, step, detail }) => ({ at, kind, step, detail }))).toEqual(
    RECORDS.map(({ at, kind, step, detail }) => ({ at, kind, step, detail })),
  );
  expect(parsed).toMatchObject({ isTorn: false, soundBytes: TEXT.length });
});

test('cut anywhere, it holds exactly the records that were complete', () => {
  for (let length = 0; length <= TEXT.length; length += 1) {
    const cut = TEXT.subarray(0, length);
    const complete = cut.filter((byte) => byte === 0x0a).length;
    const parsed = parseJournal(cut, 'j');
    expect(parsed.records).toHaveLength(complete);
    expect(parsed.isTorn).toBe(length !== parsed.soundBytes);
  }
});

test('a last record of which only the length reached the disk is no record', () => {
  const lastStart = TEXT.lastIndexOf(0x0a, TEXT.length - 2) + 1;
  const hollow = Buffer.from(TEXT);
  hollow.fill(0, lastStart + 20, TEXT.length - 1);
  expect(parseJournal(hollow, 'j')).toMatchObject({ isTorn: true, soundBytes: lastStart });
  hollow.fill(0, lastStart);
  expect(parseJournal(hollow, 'j')).toMatchObject({ isTorn: true, soundBytes: lastStart });
});

test('any flipped bit is found; none gives other records', () => {
  const whole = parseJournal(TEXT, 'j').records;
  for (let at = 0; at < TEXT.length; at += 1) {
    for (const bit of [1, 16, 128]) {
      const damaged = Buffer.from(TEXT);
      damaged[at] = (damaged[at] ?? 0) ^ bit;
      try {
        // The last line break may be lost, which is what a torn write looks like.
        expect(parseJournal(damaged, 'j').records).toEqual(whole.slice(0, -1));
        expect(at).toBeGreaterThanOrEqual(TEXT.lastIndexOf(0x0a, TEXT.length - 2));
      } catch (error) {
        expect(error).toMatchObject({ code: 'JOURNAL_DAMAGED' });
      }
    }
  }
});

test('a line that is missing, doubled or in another place is found', () => {
  const lines = TEXT.toString('utf8').split(/(?<=\n)/);
  const without = [...lines.slice(0, 2), ...lines.slice(3)];
  const doubled = [...lines.slice(0, 3), ...lines.slice(2)];
  const swapped = [lines[1] ?? '', lines[0] ?? '', ...lines.slice(2)];
  for (const changed of [without, doubled, swapped]) {
    expect(() => parseJournal(Buffer.from(changed.join('')), 'j')).toThrow(/line \d.*checksum/);
  }
});

test('a step that this version does not know is refused, not passed over', () => {
  const foreign = { at: '2026-01-02T15:30:00.000Z', kind: 'recover', step: 'teleport', detail: {} };
  expect(() => encodeRecord(foreign as unknown as RecoveryRecord, '')).toThrow(/teleport/);
});

test('paths out of BACKUP_DIR are refused', () => {
  for (const file of ['/etc/passwd', '../x.sql.gz', 'emergency/../../x', '']) {
    const [record] = recordsOf([{ kind: 'recover', step: 'emergency', detail: { file } }]);
    expect(() => record && encodeRecord(record, '')).toThrow(/emergency/);
  }
});

describe('state', () => {
  const after = (steps: readonly RecoveryStep[]) => recoveryState(recordsOf(steps));

  test('follows the last record', () => {
    const phases = ROLLED_BACK.map((_step, at) => after(ROLLED_BACK.slice(0, at + 1))?.phase);
    expect(phases).toEqual([
      'unchanged',
      'unchanged',
      'unchanged',
      'old-gone',
      'old-gone',
      'old-gone',
      'rolling-back',
      'rolling-back',
      'rolling-back',
      'rolling-back',
      'rolled-back',
    ]);
  });

  test('between the states from the drop on until it is finished', () => {
    const between = ROLLED_BACK.map((_step, at) =>
      isInBetween(after(ROLLED_BACK.slice(0, at + 1))?.phase ?? 'recovered'),
    );
    expect(between.map((is, at) => (is ? at : 0))).toEqual([0, 0, 0, 3, 4, 5, 6, 7, 8, 9, 0]);
    expect(isFinished('rolled-back')).toBe(true);
    expect(isFinished('kept')).toBe(false);
    expect(isInBetween('kept')).toBe(false);
  });

  test('knows the emergency backup only once it is proven', () => {
    expect(after(ROLLED_BACK.slice(0, 2))).toMatchObject({
      emergencyFile: null,
      isSaved: false,
      namedFiles: [EMERGENCY_FILE],
    });
    expect(after(ROLLED_BACK.slice(0, 3))).toMatchObject({
      emergencyFile: EMERGENCY_FILE,
      isSaved: true,
    });
  });

  test('keeps why it was rolled back', () => {
    expect(after(ROLLED_BACK)?.failure).toMatchObject({ code: 'SERVER' });
  });

  test('nothing follows from nothing', () => {
    expect(recoveryState([])).toBeUndefined();
  });

  test('an online recovery is in between from its swap on, and kept once it is proven', () => {
    const online: readonly RecoveryStep<'online'>[] = [
      { kind: 'online', step: 'begin', detail: BEGIN },
      { kind: 'online', step: 'stage', detail: { staging: 'LibraryDB__staging' } },
      {
        kind: 'online',
        step: 'swap',
        detail: { previous: 'LibraryDB__before', outgoing: ['BOOK'], incoming: ['BOOK'] },
      },
      { kind: 'online', step: 'proven', detail: { tables: 6, rows: 99 } },
    ];
    const phases = online.map((_step, at) => after(online.slice(0, at + 1))?.phase);
    expect(phases).toEqual(['unchanged', 'unchanged', 'old-gone', 'kept']);
  });
});
