/**
 * What can be said of another tool's dump by reading it once: who wrote it, which databases it
 * names, and whether it is whole. Pure: bytes and statements go in as a stream.
 */
import { isClientKind } from './foreign-policy.js';
import { DUMP_HEAD_BYTES, DUMP_TAIL_BYTES, hasTrailer, recogniseDump } from './foreign-origin.js';
import type { DumpOrigin } from './foreign-origin.js';
import { databaseNamed } from './foreign-targets.js';
import type { SplitStatement } from './statement-splitter.js';

export { classifyForForeignLoad, ForeignLoadPolicy } from './foreign-policy.js';
export type { ForeignLoadContext, LoadDecision } from './foreign-policy.js';
export { MydumperStream } from './foreign-mydumper.js';
export type { MydumperPart } from './foreign-mydumper.js';
export { recogniseDump } from './foreign-origin.js';
export type { DumpOrigin, DumpTool } from './foreign-origin.js';

/** Databases remembered at most; a server's whole dump may hold thousands. */
const DATABASES_MAX = 1000;

export class DumpInspector {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  readonly #databases = new Set<string>();
  #inTransaction: number | undefined;
  #openNotes: number | undefined;
  #clientCommand: string | undefined;
  #statements = 0;

  /** Takes the next bytes of the dump (not kept beyond its first and last few thousand). */
  push(chunk: Uint8Array): void {
    if (this.#head.length < DUMP_HEAD_BYTES) {
      const missing = DUMP_HEAD_BYTES - this.#head.length;
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, missing)]);
    }
    const kept = chunk.length >= DUMP_TAIL_BYTES ? [] : [this.#tail];
    this.#tail = Buffer.from(
      Buffer.concat([...kept, chunk.subarray(-DUMP_TAIL_BYTES)]).subarray(-DUMP_TAIL_BYTES),
    );
  }

  /** Takes the next statement, in order. */
  statement(statement: SplitStatement): void {
    const { kind, line, text } = statement;
    this.#statements += 1;
    if (kind === 'USE') this.#addDatabase(statement);
    if (kind === 'BEGIN' || kind === 'START TRANSACTION') this.#inTransaction = line;
    if (kind === 'COMMIT' || kind === 'ROLLBACK') this.#inTransaction = undefined;
    if (kind === 'SET' && text.length < 1024) this.#followNotes(text.toString('latin1'), line);
    const command = statement.clientCommand ?? (isClientKind(kind) ? kind.slice(7) : undefined);
    if (command !== undefined) this.#clientCommand ??= `${command} in line ${line}`;
  }

  get origin(): DumpOrigin {
    return recogniseDump(this.#head);
  }

  /** Names after USE, in order of first appearance. */
  get databases(): readonly string[] {
    return [...this.#databases];
  }

  /**
   * The one database of which the dump is: the one that USE names, else the one in its head. Undefined
   * where it names none, or several.
   */
  get sourceDatabase(): string | undefined {
    const [first, second] = this.#databases;
    return second === undefined ? (first ?? this.origin.database) : undefined;
  }

  /** The first command of the mysql client that the dump holds, with its line. */
  get clientCommand(): string | undefined {
    return this.#clientCommand;
  }

  /**
   * To be called after everything: undefined for a dump that is whole as far as can be told, else
   * what is missing, as `expected … but found …`.
   */
  finish(): string | undefined {
    if (this.#statements === 0) return 'expected SQL statements but found none';
    const { tool } = this.origin;
    if (hasTrailer(tool, this.#tail) === false) {
      return `expected the line with which ${tool} ends a whole dump but found the end of the file`;
    }
    if (this.#openNotes !== undefined) {
      return (
        `expected the session to be put back as it was before line ${this.#openNotes} ` +
        'but found the end of the file'
      );
    }
    if (tool === 'phpmyadmin' && this.#inTransaction !== undefined) {
      return (
        `expected COMMIT for the transaction of line ${this.#inTransaction} ` +
        'but found the end of the file'
      );
    }
    return undefined;
  }

  #addDatabase(statement: SplitStatement): void {
    const name = databaseNamed(statement);
    if (name !== undefined && this.#databases.size < DATABASES_MAX) this.#databases.add(name);
  }

  /**
   * mysqldump's last statement puts SQL_NOTES back, without comments too; tools that took over its
   * head took over this.
   */
  #followNotes(text: string, line: number): void {
    if (/SET\s+@OLD_SQL_NOTES\s*=/i.test(text)) this.#openNotes = line;
    else if (/SQL_NOTES\s*=\s*@OLD_SQL_NOTES/i.test(text)) this.#openNotes = undefined;
  }
}

export function inspectDump(): DumpInspector {
  return new DumpInspector();
}
