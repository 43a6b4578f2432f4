/** Reads a dump of another tool to its end, to tell what it is and whether it is whole. */
import type { Damage } from '../../archive/archive-check-file.js';
import { ReshelveError } from '../../errors.js';
import { inspectDump } from '../../sql/foreign-dump.js';
import type { DumpOrigin } from '../../sql/foreign-dump.js';
import type { Context } from '../context.js';
import type { DumpFile } from '../load/foreign-statements.js';
import { readStatements } from '../load/foreign-statements.js';

export interface InspectedDump {
  readonly origin: DumpOrigin;
  /** Databases that it names: of its head, and after USE. */
  readonly databases: readonly string[];
  readonly statements: number;
  /** Bytes of the longest statement. */
  readonly longestStatement: number;
  /** How many tables, views and so on it creates, and rows of how many INSERT statements. */
  readonly creates: Readonly<Record<string, number>>;
  readonly inserts: number;
  /** A command of the mysql client that no server understands, with its line. */
  readonly clientCommand?: string;
  /** Why it is not whole; empty for a dump that is, as far as can be told. */
  readonly damages: readonly Damage[];
}

export async function inspectDumpFile(
  context: Pick<Context, 'output' | 'signal'>,
  file: DumpFile,
): Promise<InspectedDump> {
  const inspection = inspectDump();
  const creates: Record<string, number> = {};
  const damages: Damage[] = [];
  let statements = 0;
  let inserts = 0;
  let longestStatement = 0;
  try {
    for await (const { kind, text } of readStatements(
      context,
      file,
      'Reading the dump',
      inspection,
    )) {
      statements += 1;
      longestStatement = Math.max(longestStatement, text.length);
      if (kind === 'INSERT' || kind === 'REPLACE') inserts += 1;
      const created = /^CREATE ((?!DATABASE|SCHEMA|USER|ROLE)[A-Z ]+)$/.exec(kind)?.[1];
      if (created !== undefined) {
        const type = created.toLowerCase();
        creates[type] = (creates[type] ?? 0) + 1;
      }
    }
    const problem = inspection.finish();
    if (problem !== undefined) damages.push({ message: problem });
  } catch (error) {
    damages.push({ message: messageOfDamage(error) });
  } finally {
    context.output.progress(null);
  }
  const { origin, clientCommand } = inspection;
  const databases = [origin.database ?? [], inspection.databases].flat();
  return {
    origin,
    databases: [...new Set(databases)],
    statements,
    longestStatement,
    creates,
    inserts,
    ...(clientCommand === undefined ? {} : { clientCommand }),
    damages,
  };
}

/** Anything but damage of the file is thrown on. */
function messageOfDamage(error: unknown): string {
  const codes = ['DAMAGED', 'DUMP_INCOMPLETE', 'NOT_A_BACKUP'];
  if (error instanceof ReshelveError && codes.includes(error.code)) return error.message;
  throw error;
}
