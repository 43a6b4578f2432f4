/**
 * Cuts transactions into the change members of an archive: several small ones in one member, a huge
 * one over several. Each member that does not go on with a transaction can be run in a fresh session.
 */
import type { BinlogPlace, ChangeEntry, TableChanges } from '../archive/index-types.js';
import { encodeMarker } from './marker.js';
import type { MarkedTable, Marker } from './marker.js';
import { SqlSink } from './sql-sink.js';

export interface ChangeMember {
  readonly sql: Buffer;
  readonly statements: number;
  readonly longestStatement: number;
  readonly change: Omit<ChangeEntry, 'member'>;
}

/** A member is closed once it holds this much. */
const MEMBER_BYTES = 1_500_000;

/** One transaction or statement, or a part of one, whose SQL is complete. */
export interface FinishedPart {
  readonly marker: Marker;
  readonly tables: readonly TableChanges[];
  readonly body: SqlSink;
}

export class ChangeMembers {
  readonly #sink = new SqlSink();
  readonly #ready: ChangeMember[] = [];
  readonly #tables = new Map<string, Writable<TableChanges>>();
  #description: Buffer | undefined;
  #transactions = 0;
  #first: { readonly at: string; readonly place: BinlogPlace } | undefined;
  #last: { readonly at: string; readonly place: BinlogPlace } | undefined;
  /** The transaction that the next part belongs to goes on from the member before. */
  #goesOn = false;
  readonly #gtidsSince: () => string | null;
  readonly #onClosed: () => void;

  /** `gtidsSince`: the GTIDs since it was last asked. `onClosed`: session state is lost now. */
  constructor(gtidsSince: () => string | null, onClosed: () => void) {
    this.#gtidsSince = gtidsSince;
    this.#onClosed = onClosed;
  }

  /** The format description event, ready for BINLOG. */
  setDescription(description: Buffer): void {
    if (this.#description?.equals(description) === true) return;
    this.close();
    this.#description = description;
  }

  add(part: FinishedPart): void {
    const { marker, tables, body } = part;
    if (this.#sink.length === 0 && !this.#goesOn) this.#writePreamble();
    this.#sink.line(encodeMarker(marker).trimEnd(), 0);
    this.#sink.append(body);
    const start = { binlogFile: marker.file, position: marker.start };
    this.#first ??= { at: marker.at, place: start };
    this.#last = { at: marker.at, place: { ...start, position: marker.end ?? marker.start } };
    if (marker.continued !== true) this.#transactions += 1;
    for (const table of tables) this.#count(table);
    if (marker.continues === true || this.#sink.length >= MEMBER_BYTES) this.close();
    this.#goesOn = marker.continues === true;
  }

  #writePreamble(): void {
    if (this.#description === undefined) return;
    this.#sink.beginStatement();
    this.#sink.bytes(Buffer.from("BINLOG '\n"));
    this.#sink.event(this.#description);
    this.#sink.bytes(Buffer.from("';\n"));
    this.#sink.endStatement();
    // The description takes GTID_NEXT away, and the next BEGIN would fail with error 1782.
    this.#sink.line("/*!50700 SET @@SESSION.GTID_NEXT = 'AUTOMATIC' */;");
  }

  #count(table: TableChanges): void {
    const sum = this.#tables.get(table.name);
    if (sum === undefined) this.#tables.set(table.name, { ...table });
    else addChanges(sum, table);
  }

  /** Closes the member under way, if any. */
  close(): void {
    const [first, last] = [this.#first, this.#last];
    if (first === undefined || last === undefined) return;
    const { statements, longestStatement } = this.#sink;
    this.#ready.push({
      sql: this.#sink.take(),
      statements,
      longestStatement,
      change: {
        transactions: this.#transactions,
        firstAt: first.at,
        lastAt: last.at,
        from: first.place,
        to: last.place,
        gtids: this.#gtidsSince(),
        tables: [...this.#tables.values()],
      },
    });
    this.#tables.clear();
    this.#transactions = 0;
    this.#first = undefined;
    this.#last = undefined;
    this.#onClosed();
  }

  get isOpen(): boolean {
    return this.#first !== undefined;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** The members that are complete; each is given once. */
  take(): ChangeMember[] {
    return this.#ready.splice(0);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export function addChanges(sum: Writable<TableChanges>, more: TableChanges): void {
  sum.inserted += more.inserted;
  sum.updated += more.updated;
  sum.deleted += more.deleted;
  sum.ddl ||= more.ddl;
}

export function markedTable({ name, inserted, updated, deleted }: TableChanges): MarkedTable {
  return {
    name,
    ...(inserted > 0 && { inserted }),
    ...(updated > 0 && { updated }),
    ...(deleted > 0 && { deleted }),
  };
}
