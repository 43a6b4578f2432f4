/**
 * Writes row events as BINLOG statements. A TABLE_MAP must stand in the same statement as the rows
 * that need it and before any rows at all, else the server passes over them without a word; so each
 * statement begins with all maps that its statement in the log had. The last rows event of a
 * statement carries STMT_END, wherever the log had it.
 */
import type { SqlSink } from './sql-sink.js';

/** Of events in one statement: below 1 MB of base64 unless one event alone is bigger. */
const STATEMENT_EVENT_BYTES_MAX = 700_000;

export class RowStatements {
  readonly #sink: SqlSink;
  #eventBytes = 0;
  #lastRows: number | undefined;

  constructor(sink: SqlSink) {
    this.#sink = sink;
  }

  /** `maps` with their size set; `rows` as logged without checksum, its size is set here. */
  add(maps: Iterable<Buffer>, rows: Buffer): void {
    if (this.#eventBytes > 0 && this.#eventBytes + rows.length > STATEMENT_EVENT_BYTES_MAX) {
      this.close();
    }
    if (this.#lastRows === undefined) {
      this.#sink.beginStatement();
      this.#sink.bytes(OPENING);
      for (const map of maps) this.#sink.event(map);
    }
    rows.writeUInt32LE(rows.length, 9);
    this.#lastRows = this.#sink.event(rows);
    this.#eventBytes += rows.length;
  }

  /** Ends the statement that is open, if any. */
  close(): void {
    if (this.#lastRows === undefined) return;
    this.#sink.setStatementEnd(this.#lastRows);
    this.#sink.bytes(CLOSING);
    this.#sink.endStatement();
    this.#lastRows = undefined;
    this.#eventBytes = 0;
  }
}

const OPENING = Buffer.from("BINLOG '\n");
const CLOSING = Buffer.from("';\n");
