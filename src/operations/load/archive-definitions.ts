/** Definitions as an archive holds them, and the same objects as a server shows them now. */
import type { MemberEntry } from '../../archive/index-types.js';
import { withoutImpliedCollations } from '../../sql/ddl-collation.js';
import { stripDefiner } from '../../sql/ddl-definer.js';
import { setEventStatus } from '../../sql/ddl-event.js';
import { stripDatabaseQualifiers } from '../../sql/ddl-qualifiers.js';
import { stripSequenceDatabase } from '../../sql/ddl-sequence.js';
import type { DdlOptions } from '../../sql/ddl-text.js';
import { StatementSplitter } from '../../sql/statement-splitter.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import type { StateReader } from '../chains/chain-archives.js';

/** What a copy may differ in, because it was made so. */
export interface CopyDifferences {
  readonly eventsDisabled: boolean;
  readonly definersReplaced: boolean;
}

export function splitStatements(sql: Buffer): SplitStatement[] {
  const splitter = new StatementSplitter({ charset: 'utf8mb4' });
  const statements = splitter.push(sql);
  statements.push(...splitter.finish().last);
  return statements;
}

export function isCreate(statement: SplitStatement): boolean {
  return statement.kind.startsWith('CREATE');
}

/** The CREATE statement of a definition member; undefined where it holds only a comment. */
export async function readDefinition(
  reader: StateReader,
  member: MemberEntry,
): Promise<Buffer | undefined> {
  const sql = await reader.readMember(member.number);
  return splitStatements(sql).find(isCreate)?.text;
}

/** The counter moves with every INSERT and is compared on its own. */
export function comparableTable(createStatement: Buffer, database: string): string {
  const definition = withoutImpliedCollations(stripSequenceDatabase(createStatement, database));
  return definition
    .toString('latin1')
    .replace(/ AUTO_INCREMENT=\d+/g, '')
    .trimEnd();
}

/**
 * Text of an object without what the copy was meant to differ in: the name of the database that it
 * is of or was loaded into, its definer, the status of an event.
 */
export function comparableObject(
  type: string,
  createStatement: Buffer,
  databases: readonly string[],
  differences: CopyDifferences,
  lexical: DdlOptions,
): string {
  let text = createStatement;
  for (const name of databases) text = stripDatabaseQualifiers(text, name, lexical);
  if (differences.definersReplaced) text = stripDefiner(text, lexical);
  if (differences.eventsDisabled && type === 'event')
    text = setEventStatus(text, 'DISABLE', lexical);
  // A body made by one of several statements in a packet keeps its `;`; one made alone loses it.
  return text.toString('latin1').replace(/[;\s]+$/, '');
}
