/**
 * One connection to the server, in the text protocol and in raw bytes. mysql2 makes the connection
 * (handshake, TLS, authentication); from then on the socket is ours, because rows must come as the
 * bytes that the server sent and statements must go as the bytes that the archive holds.
 */
import type { Duplex } from 'node:stream';
import { assert, ReshelveError } from '../errors.js';
import type { OkPacket } from './protocol.js';
import {
  COM_PING,
  COM_QUERY,
  COM_QUIT,
  frameCommand,
  isEof,
  isErr,
  parseColumnName,
  parseEof,
  parseErr,
  parseOk,
  parseTextRow,
  readLengthEncoded,
  SERVER_MORE_RESULTS_EXISTS,
} from './protocol.js';
import { ServerError } from './server-error.js';
import type { ServerFacts } from './server-facts.js';
import { SocketReader } from './socket-reader.js';
import type { PacketPiece } from './socket-reader.js';

/** For statements that may rightly take long before they answer: definitions, keys, big inserts. */
const LONG_STATEMENT_TIMEOUT_MS = 24 * 3600 * 1000;
/** An answer under way must keep coming. */
export const SILENCE_MS_DEFAULT = 15 * 60 * 1000;
const CLOSE_TIMEOUT_MS = 2000;

export interface ResultSet {
  readonly columns: readonly string[];
  /** Values as the server sent them; null is SQL NULL. The buffers are the caller's. */
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly ok: OkPacket;
}

export type TextRecord = Readonly<Record<string, string | null>>;

export interface QueryOptions {
  readonly timeoutMs?: number;
}

/**
 * The rows of one SELECT as the raw bytes of the socket, packet headers included. Whoever decodes
 * them calls `finish` with the bytes left over behind the final EOF or ERR packet.
 */
export interface RawRows {
  readonly columns: readonly string[];
  /** Sequence number that the first row packet carries. */
  readonly firstSequence: number;
  nextChunk(): Promise<Buffer>;
  finish(leftover: Buffer): void;
}

export class Session {
  readonly where: string;
  readonly threadId: number;
  readonly #socket: Duplex;
  readonly #reader: SocketReader;
  readonly #silenceMs: number;
  #facts: ServerFacts | undefined;
  #slow: { readonly afterMs: number; readonly listener: () => void } | undefined;
  #busy = false;
  #closed = false;

  constructor(
    socket: Duplex,
    where: string,
    threadId: number,
    silenceMs: number = SILENCE_MS_DEFAULT,
  ) {
    this.where = where;
    this.threadId = threadId;
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    this.#reader = new SocketReader(socket, where, silenceMs);
  }

  /** Calls back once the connection is over, whatever ended it. */
  onClosed(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  /** Calls back when `query` or `execute` has waited this long for its answer, and each time again. */
  onSlow(afterMs: number, listener: () => void): void {
    this.#slow = { afterMs, listener };
  }

  get facts(): ServerFacts {
    assert(this.#facts !== undefined, 'the session was opened by openSession');
    return this.#facts;
  }

  set facts(facts: ServerFacts) {
    this.#facts = facts;
  }

  /** Runs one statement and keeps its rows in memory: for small results only. */
  async query(sql: string | Uint8Array, options: QueryOptions = {}): Promise<ResultSet> {
    return this.#exclusively(async () => {
      const timeoutMs = options.timeoutMs ?? this.#silenceMs;
      const watch = this.#slow && setInterval(this.#slow.listener, this.#slow.afterMs);
      try {
        this.#send(COM_QUERY, sql);
        let result = await this.#readResult(timeoutMs);
        while ((result.ok.status & SERVER_MORE_RESULTS_EXISTS) !== 0) {
          result = await this.#readResult(timeoutMs);
        }
        return result;
      } finally {
        clearInterval(watch);
      }
    });
  }

  /** Runs a statement that returns no rows. */
  async execute(sql: string | Uint8Array, options: QueryOptions = {}): Promise<OkPacket> {
    return (await this.query(sql, options)).ok;
  }

  /** As `execute`, for a statement that may take hours before it answers. */
  async executeLong(sql: string | Uint8Array): Promise<OkPacket> {
    return this.execute(sql, { timeoutMs: LONG_STATEMENT_TIMEOUT_MS });
  }

  /** Rows as objects of text; for catalog queries, whose values are text or NULL. */
  async records(sql: string, options: QueryOptions = {}): Promise<TextRecord[]> {
    const { columns, rows } = await this.query(sql, options);
    return rows.map((row) =>
      Object.fromEntries(columns.map((name, at) => [name, row[at]?.toString('utf8') ?? null])),
    );
  }

  /** The first value of the first row as text; undefined without a row. */
  async value(sql: string, options: QueryOptions = {}): Promise<string | null | undefined> {
    const row = (await this.query(sql, options)).rows[0];
    if (row === undefined) return undefined;
    return row[0]?.toString('utf8') ?? null;
  }

  /** Starts a SELECT whose rows are decoded by the caller; the session is busy until `finish`. */
  async startRows(sql: string, options: QueryOptions = {}): Promise<RawRows> {
    this.#enter();
    try {
      this.#send(COM_QUERY, sql);
      const timeoutMs = options.timeoutMs ?? this.#silenceMs;
      const first = await this.#nextPacket(timeoutMs);
      const columns = await this.#readColumns(first, timeoutMs);
      return {
        columns,
        firstSequence: this.#reader.nextSequence,
        nextChunk: () => this.#reader.nextChunk(this.#silenceMs),
        finish: (leftover) => {
          this.#reader.giveBack(leftover);
          this.#busy = false;
        },
      };
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  /**
   * Sends a command whose answer is a stream of packets, and gives the way to take them. The session
   * serves nothing else any more; end it by `destroy`. No packet may come for `silenceMs`.
   */
  startStream(
    command: number,
    body: Uint8Array,
    silenceMs = this.#silenceMs,
  ): (isFollowing: boolean) => Promise<PacketPiece> {
    this.#enter();
    this.#send(command, body);
    return (isFollowing) => this.#reader.nextPiece(silenceMs, isFollowing);
  }

  async ping(timeoutMs: number): Promise<void> {
    await this.#exclusively(async () => {
      this.#send(COM_PING, '');
      await this.#nextPacket(timeoutMs);
    });
  }

  /** Ends the connection in good order; safe to call twice and after a failure. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reader.failure === undefined && !this.#busy) {
      const closed = new Promise<void>((resolve) => {
        this.#socket.once('close', () => {
          resolve();
        });
        setTimeout(resolve, CLOSE_TIMEOUT_MS).unref();
      });
      this.#send(COM_QUIT, '');
      this.#socket.end();
      this.#socket.resume();
      await closed;
    }
    this.#socket.destroy();
  }

  /** Cuts the connection at once; what is waiting on it throws `reason`. */
  destroy(reason: Error): void {
    this.#closed = true;
    this.#reader.fail(reason);
    this.#socket.destroy();
  }

  #enter(): void {
    assert(!this.#busy, 'a session runs one statement at a time');
    if (this.#reader.failure !== undefined) throw this.#reader.failure;
    this.#busy = true;
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  #send(command: number, body: string | Uint8Array): void {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    this.#reader.startAnswer();
    const pieces = frameCommand(command, bytes);
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    // A statement of more than 16 MB goes in several packets, and the answer's number follows on.
    this.#reader.nextSequence = pieces.length / 2;
  }

  async #nextPacket(timeoutMs: number): Promise<Buffer> {
    const packet = await this.#reader.nextPacket(timeoutMs);
    if (isErr(packet)) throw new ServerError(this.where, parseErr(packet));
    return packet;
  }

  async #readColumns(first: Buffer, timeoutMs: number): Promise<string[]> {
    const { value: count } = readLengthEncoded(first, 0);
    if (count === null || count === 0) {
      throw new ReshelveError('PROTOCOL', `${this.where}: expected rows but found none`);
    }
    const columns: string[] = [];
    for (let column = 0; column < count; column += 1) {
      columns.push(parseColumnName(await this.#nextPacket(timeoutMs)));
    }
    const end = await this.#nextPacket(timeoutMs);
    if (!isEof(end)) {
      throw new ReshelveError('PROTOCOL', `${this.where}: the column list does not end`);
    }
    return columns;
  }

  async #readResult(timeoutMs: number): Promise<ResultSet> {
    const first = await this.#nextPacket(timeoutMs);
    if (first[0] === 0x00) return { columns: [], rows: [], ok: parseOk(first) };
    if (first[0] === 0xfb) {
      throw new ReshelveError('PROTOCOL', `${this.where} asks for a local file; that is refused`);
    }
    const columns = await this.#readColumns(first, timeoutMs);
    const rows: (Buffer | null)[][] = [];
    for (;;) {
      const packet = await this.#nextPacket(this.#silenceMs);
      if (isEof(packet)) return { columns, rows, ok: parseEof(packet) };
      rows.push(parseTextRow(packet, columns.length));
    }
  }
}
