/**
 * The session state that statements need: emitted where it differs from what is known to be set.
 * One variable per statement, for one that the user may not set must not take the others with it;
 * variables that need more than replaying itself does are left out.
 */
import { quoteString } from '../sql/quote.js';
import { SESSION_FLAG } from './query-event.js';
import type { StatementSession } from './query-event.js';

/** Names of collations by id, as the server lists them. */
export type CollationNames = ReadonlyMap<
  number,
  { readonly charset: string; readonly collation: string }
>;

export const UTF8MB4_CLIENT = 45;

export class SessionState {
  readonly #collations: CollationNames;
  readonly #flavour: 'mysql' | 'mariadb';
  readonly #known = new Map<string, string>();

  constructor(collations: CollationNames, flavour: 'mysql' | 'mariadb') {
    this.#collations = collations;
    this.#flavour = flavour;
  }

  /** Nothing is known any more: what comes next may be run in another session. */
  forget(): void {
    this.#known.clear();
  }

  /** The SET statements, without `;`, that a statement of `session` at `timestamp` needs. */
  changes(session: StatementSession, timestamp: number): string[] {
    const statements: string[] = [];
    for (const [statement, value] of this.#wanted(session, timestamp)) {
      if (this.#known.get(statement) === value) continue;
      this.#known.set(statement, value);
      statements.push(statement.replace('?', () => value));
    }
    return statements;
  }

  *#wanted(session: StatementSession, timestamp: number): Generator<[string, string]> {
    const flag = (bit: number): boolean => ((session.flags ?? 0) & bit) !== 0;
    const fraction = String(session.microseconds ?? 0).padStart(6, '0');
    yield ['SET @@SESSION.timestamp = ?', `${timestamp}.${fraction}`];
    if (session.flags !== undefined) {
      yield [
        'SET @@SESSION.foreign_key_checks = ?',
        flag(SESSION_FLAG.noForeignKeyChecks) ? '0' : '1',
      ];
      yield ['SET @@SESSION.unique_checks = ?', flag(SESSION_FLAG.relaxedUniqueChecks) ? '0' : '1'];
      yield ['SET @@SESSION.sql_auto_is_null = ?', flag(SESSION_FLAG.autoIsNull) ? '1' : '0'];
    }
    if (session.sqlMode !== undefined) {
      yield ['SET @@SESSION.sql_mode = ?', String(session.sqlMode)];
    }
    const [increment, offset] = session.autoIncrement ?? [1, 1];
    yield ['SET @@SESSION.auto_increment_increment = ?', String(increment)];
    yield ['SET @@SESSION.auto_increment_offset = ?', String(offset)];
    yield* this.#charsets(session);
    yield ['SET @@SESSION.lc_time_names = ?', String(session.localeTimeNames ?? 0)];
    if (session.timeZone !== undefined) {
      yield ['SET @@SESSION.time_zone = ?', quoteString(session.timeZone)];
    }
    const { explicitDefaultsForTimestamp: explicit } = session;
    if (explicit !== undefined) {
      yield ['SET @@SESSION.explicit_defaults_for_timestamp = ?', explicit ? '1' : '0'];
    }
  }

  *#charsets(session: StatementSession): Generator<[string, string]> {
    if (session.charsets !== undefined) {
      const [client, connection, server] = session.charsets;
      const charset = this.#collations.get(client)?.charset ?? String(client);
      yield ['SET @@SESSION.character_set_client = ?', charset];
      yield ['SET @@SESSION.collation_connection = ?', this.#collation(connection)];
      yield ['SET @@SESSION.collation_server = ?', this.#collation(server)];
    }
    // What a table gets that names no collation; MySQL asks the database instead.
    if (this.#flavour === 'mariadb') {
      const { databaseCollation: id } = session;
      const value = id === undefined ? 'DEFAULT' : this.#collation(id);
      yield ['SET @@SESSION.collation_database = ?', value];
    }
    const { defaultCollationForUtf8mb4: fallback } = session;
    if (fallback !== undefined) {
      const value = this.#collation(fallback);
      yield ['/*!80011 SET @@SESSION.default_collation_for_utf8mb4 = ? */', value];
    }
  }

  #collation(id: number): string {
    return this.#collations.get(id)?.collation ?? String(id);
  }
}
