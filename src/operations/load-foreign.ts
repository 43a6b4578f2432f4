/**
 * Loads a dump of another tool: read as a stream, split into statements, run one after the other on
 * one connection. Nothing of the file is held in memory but the statement at hand.
 */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileError } from '../archive/file-errors.js';
import { ReshelveError } from '../errors.js';
import { isServerError } from '../mysql/server-error.js';
import { listTables } from '../mysql/schema-tables.js';
import type { Session } from '../mysql/session.js';
import { setEventStatus } from '../sql/ddl-event.js';
import { classifyForForeignLoad, inspectDump } from '../sql/foreign-dump.js';
import { quoteIdentifier } from '../sql/quote.js';
import { StatementSplitter } from '../sql/statement-splitter.js';
import type { SplitStatement } from '../sql/statement-splitter.js';
import type { Context } from './context.js';

export interface ForeignLoad {
  readonly context: Context;
  readonly path: string;
  readonly shown: string;
  readonly database: string;
  readonly open: () => Promise<Session>;
  readonly withoutBinlog: boolean;
  /** Test copies must not run events. */
  readonly disableEvents?: boolean;
}

export interface ForeignLoaded {
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
}

/** Reads the whole file once, before anything is touched: it must split to its end and be complete. */
export async function assertForeignComplete(
  context: Pick<Context, 'output' | 'signal'>,
  path: string,
  shown: string,
): Promise<void> {
  const report = inspectDump();
  const splitter = new StatementSplitter();
  for await (const chunk of readSql(context, path, shown, 'Checking the dump')) {
    report.push(chunk);
    for (const statement of splitter.push(chunk)) report.statement(statement);
  }
  const end = splitter.finish();
  for (const statement of end.last) report.statement(statement);
  const { unterminated } = end;
  if (unterminated !== undefined) {
    throw new ReshelveError(
      'DUMP_INCOMPLETE',
      `${shown}: expected the end of the ${unterminated.what} that begins in line ` +
        `${unterminated.line} but found the end of the file`,
    );
  }
  const problem = report.finish();
  if (problem !== undefined) throw new ReshelveError('DUMP_INCOMPLETE', `${shown}: ${problem}`);
}
