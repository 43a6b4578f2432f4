/**
 * Runs the logged changes of an archive in their order on one connection, as the server logged them,
 * up to where the replay ends. A change that does not fit the state before it is a failure that names
 * its transaction.
 */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { MemberEntry } from '../../archive/index-types.js';
import { markerLines, parseMarker } from '../../binlog/marker.js';
import type { Marker } from '../../binlog/marker.js';
import type { ReplayUntil, ReplayVerdict } from '../../binlog/replay-until.js';
import { isBinlogStatement, rewriteRows } from '../../binlog/rewrite-rows.js';
import type { RowRewriting } from '../../binlog/rewrite-rows.js';
import { isoOf } from '../../catalog/instant.js';
import { ReshelveError } from '../../errors.js';
import { isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { splitStatements } from '../load/archive-definitions.js';

export interface ReplayRequest {
  readonly reader: ArchiveReader;
  readonly session: Session;
  readonly until: ReplayUntil;
  /** For another database, or for some tables alone. */
  readonly rows: RowRewriting;
  /** Statements about events run once they are made; they are run apart from all others. */
  readonly only: 'without' | 'only';
  /** Changes the text of a statement that is none of rows; undefined leaves it out. */
  readonly rewrite: (statement: SplitStatement) => Buffer | undefined;
  readonly onMember: (member: MemberEntry) => void;
}

export async function replayLogged(request: ReplayRequest): Promise<void> {
  const { reader, until } = request;
  for (const member of reader.members()) {
    if (member.kind !== 'change') continue;
    await replayMember(request, await reader.readMember(member.number));
    request.onMember(member);
    if (until.isOver) return;
  }
}

async function replayMember(request: ReplayRequest, sql: Buffer): Promise<void> {
  let marker: Marker | undefined;
  let verdict: ReplayVerdict = 'apply';
  for (const { statement, markers } of withMarkers(sql)) {
    for (const line of markers) {
      marker = parseMarker(line);
      verdict = request.until.judge(marker);
      if (verdict === 'stop') return;
    }
    // Before the first marker stands what every part of the member needs.
    if (marker === undefined || (verdict === 'apply' && concerns(request, marker))) {
      await replayStatement(request, statement, marker);
    } else if (isSetting(statement)) {
      // State is set where it changes, so also what is left out must set it.
      await replayStatement(request, statement, marker);
    }
  }
}

export interface MarkedStatement {
  readonly statement: SplitStatement;
  /** Marker lines right before it. */
  readonly markers: readonly string[];
}

/** Markers are comments between statements, never lines within one. */
export function* withMarkers(sql: Buffer): Generator<MarkedStatement> {
  let end = 0;
  for (const statement of splitStatements(sql)) {
    const between = sql.toString('latin1', end, statement.startOffset);
    yield { statement, markers: markerLines(between) };
    end = statement.endOffset;
  }
}

/** Statements and definitions say which tables they touch; rows are chosen event by event. */
function concerns({ rows: { tables } }: ReplayRequest, marker: Marker): boolean {
  if (tables === undefined || marker.kind === 'rows') return true;
  return marker.tables.some(({ name }) => tables.has(name));
}

function isSetting({ kind }: SplitStatement): boolean {
  return kind.startsWith('SET');
}

async function replayStatement(
  request: ReplayRequest,
  statement: SplitStatement,
  marker: Marker | undefined,
): Promise<void> {
  const text = replayedText(request, statement);
  if (text === undefined) return;
  try {
    await request.session.executeLong(text);
  } catch (error) {
    throw inTransaction(error, request.reader, marker);
  }
}

function replayedText(request: ReplayRequest, statement: SplitStatement): Buffer | undefined {
  if (request.only === 'only') {
    // An event keeps the default collation that its database had when it was made.
    const isNeeded =
      isSetting(statement) || isOfEvent(statement) || statement.kind === 'ALTER DATABASE';
    return isNeeded ? request.rewrite(statement) : undefined;
  }
  if (isBinlogStatement(statement.text)) return rewriteRows(statement.text, request.rows);
  return isOfEvent(statement) ? undefined : request.rewrite(statement);
}

export function isOfEvent({ kind }: SplitStatement): boolean {
  return kind === 'CREATE EVENT' || kind === 'DROP EVENT' || kind === 'ALTER EVENT';
}

function inTransaction(error: unknown, reader: ArchiveReader, marker: Marker | undefined): unknown {
  if (!(error instanceof ReshelveError) || marker === undefined) return error;
  const code = isServerError(error) ? 'REPLAY_FAILED' : error.code;
  const options = code === error.code ? { hint: error.hint, cause: error } : { cause: error };
  return new ReshelveError(
    code,
    `${reader.name}: ${describeTransaction(marker)} could not be applied: ${error.message}`,
    options,
  );
}

export function describeTransaction(marker: Marker): string {
  const name = marker.gtid === null ? '' : ` ${marker.gtid}`;
  const tables = marker.tables.map((table) => table.name).join(', ');
  return (
    `transaction${name} of ${isoOf(BigInt(marker.at))} at ${marker.file}:${marker.start}` +
    (tables === '' ? '' : ` (tables ${tables})`)
  );
}

/** What is known of a state that logged changes, which carry no digests, have led to. */
export function describeLoggedProof(isIdempotent: boolean): string {
  return isIdempotent
    ? 'Logged changes that did not find their rows were passed over, and there are no digests to compare with; counting rows...'
    : 'Every logged change met the rows that it expects; there are no digests to compare with; counting rows...';
}
