/**
 * Secondary keys of big tables are made after their rows: one sorted build instead of a random insert
 * for each row and key. Foreign keys follow when all keys are there.
 */
import type { MemberEntry } from '../../archive/index-types.js';
import type { Flavour } from '../../mysql/server-facts.js';
import { splitCreateTable } from '../../sql/ddl-create-table.js';
import { quoteIdentifier } from '../../sql/quote.js';

/** Below this much SQL a build of its own costs more than it saves. */
const DEFER_SQL_BYTES_MIN = 4 * 1024 * 1024;

interface TableKeys {
  readonly addIndexes: readonly string[];
  readonly addForeignKeys: readonly string[];
}

export class DeferredKeys {
  readonly #membersLeft = new Map<string, number>();
  readonly #bytes = new Map<string, number>();
  readonly #keys = new Map<string, TableKeys>();

  constructor(dataMembers: readonly MemberEntry[]) {
    for (const { table = '', sqlLength } of dataMembers) {
      this.#membersLeft.set(table, (this.#membersLeft.get(table) ?? 0) + 1);
      this.#bytes.set(table, (this.#bytes.get(table) ?? 0) + sqlLength);
    }
  }

  /** The definition to create the table with; its other keys are remembered. */
  take(table: string | undefined, createStatement: Buffer, flavour: Flavour): Buffer {
    if (table === undefined || (this.#bytes.get(table) ?? 0) < DEFER_SQL_BYTES_MIN) {
      return createStatement;
    }
    const { withoutSecondary, addIndexes, addForeignKeys } = splitCreateTable(createStatement, {
      flavour,
    });
    this.#keys.set(table, { addIndexes, addForeignKeys });
    return withoutSecondary;
  }

  /** To be called after each data member: the statement that makes the keys once the last is in. */
  memberDone(table: string): string | undefined {
    const left = (this.#membersLeft.get(table) ?? 0) - 1;
    this.#membersLeft.set(table, left);
    const clauses = this.#keys.get(table)?.addIndexes ?? [];
    if (left > 0 || clauses.length === 0) return undefined;
    return alterTable(table, clauses);
  }

  /** The statements that make the foreign keys, after all rows and keys. */
  foreignKeys(): string[] {
    return [...this.#keys].flatMap(([table, { addForeignKeys }]) =>
      addForeignKeys.length === 0 ? [] : [alterTable(table, addForeignKeys)],
    );
  }
}

function alterTable(table: string, clauses: readonly string[]): string {
  return `ALTER TABLE ${quoteIdentifier(table)} ${clauses.join(', ')}`;
}
