/**
 * The text of a journal: a JSON line for each record, with a checksum over the line and all lines
 * before it. A last line that a power cut tore is recognised and left out, because its step was not
 * taken yet; damage anywhere else is an error.
 */
import { createHash } from 'node:crypto';
import { assert, ReshelveError } from '../errors.js';
import { recordProblem } from './recovery-journal.js';
import type { RecoveryRecord } from './recovery-journal.js';

const CHECKSUM_DIGITS = 16;
const LINE = /^(\{.*),"checksum":"([0-9a-f]{16})"\}$/;

export interface ParsedJournal {
  readonly records: readonly RecoveryRecord[];
  /** Bytes of the text that are sound: an appended record goes there. */
  readonly soundBytes: number;
  /** Whether there is a torn last line behind them. */
  readonly isTorn: boolean;
  /** What the next record's checksum continues. */
  readonly checksum: string;
}

/** The line for `record`, its line break included, and the checksum for the one after it. */
export function encodeRecord(
  record: RecoveryRecord,
  previousChecksum: string,
): { readonly line: string; readonly checksum: string } {
  const problem = recordProblem(record);
  assert(problem === undefined, `a record of the journal is valid: ${problem ?? ''}`);
  const { at, kind, step, detail } = record;
  const body = JSON.stringify({ at, kind, step, detail });
  const checksum = checksumOf(previousChecksum, body);
  return { line: `${body.slice(0, -1)},"checksum":"${checksum}"}\n`, checksum };
}

function checksumOf(previous: string, body: string): string {
  const hash = createHash('sha256').update(previous).update(body).digest('hex');
  return hash.slice(0, CHECKSUM_DIGITS);
}

/** Throws JOURNAL_DAMAGED, naming `path` and the line. */
export function parseJournal(bytes: Buffer, path: string): ParsedJournal {
  const records: RecoveryRecord[] = [];
  let checksum = '';
  let soundBytes = 0;
  while (soundBytes < bytes.length) {
    const end = bytes.indexOf(0x0a, soundBytes);
    const line = bytes.subarray(soundBytes, end < 0 ? bytes.length : end);
    // What a torn write leaves: no line break, or zeros where the file had grown before its bytes came.
    if (end < 0 || isLastAndHollow(bytes, line, end)) {
      return { records, soundBytes, isTorn: true, checksum };
    }
    const read = readLine(line.toString('utf8'), checksum);
    if (typeof read === 'string') {
      throw new ReshelveError(
        'JOURNAL_DAMAGED',
        `${path} is damaged: line ${records.length + 1}: ${read}`,
      );
    }
    records.push(read.record);
    ({ checksum } = read);
    soundBytes = end + 1;
  }
  return { records, soundBytes, isTorn: false, checksum };
}

function isLastAndHollow(bytes: Buffer, line: Buffer, end: number): boolean {
  return end === bytes.length - 1 && line.includes(0);
}

function readLine(
  line: string,
  previousChecksum: string,
): { readonly record: RecoveryRecord; readonly checksum: string } | string {
  const [, opening, checksum] = LINE.exec(line) ?? [];
  if (opening === undefined || checksum === undefined) return 'expected a record with a checksum';
  const body = `${opening}}`;
  if (checksumOf(previousChecksum, body) !== checksum) {
    return 'its checksum does not fit it and the lines before it';
  }
  const value: unknown = JSON.parse(body);
  // A newer version may know steps that this one does not; it must not be taken for less far.
  return recordProblem(value) ?? { record: value as RecoveryRecord, checksum };
}
