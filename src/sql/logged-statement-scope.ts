/** What judging a logged statement takes and gives, and whose a name is. */
import type { DdlOptions } from './ddl-text.js';
import { isSameName } from './ddl-text.js';
import type { TargetName } from './logged-statement-tokens.js';

export type StatementClass =
  'create' | 'alter' | 'drop' | 'truncate' | 'rename' | 'object' | 'database' | 'other';

export interface LoggedStatement {
  readonly text: Buffer;
  /** The session's default database; empty where there was none. */
  readonly defaultDatabase: string;
  /** As the server noted it; undefined where it did not. */
  readonly updatedDatabases?: readonly string[];
}

export interface ReplayScope extends DdlOptions {
  /** The database that is backed up. */
  readonly database: string;
}

export type Verdict =
  | { readonly action: 'skip' }
  | {
      readonly action: 'replay';
      /** In order; none of them names the database. */
      readonly statements: readonly Buffer[];
      /** They are ours, in UTF-8, whatever the client's character set was. */
      readonly isRebuilt?: true;
      /** Left out for changes of rows (DML). */
      readonly ddl?: StatementClass;
      /** Tables and other objects of the database that it changes. */
      readonly tables: readonly string[];
    }
  /** `reason` is for the user: what cannot be replayed. */
  | { readonly action: 'end'; readonly reason: string };

export const SKIP: Verdict = { action: 'skip' };

export function endChain(reason: string): Verdict {
  return { action: 'end', reason };
}

export function isOurs(database: string, scope: ReplayScope): boolean {
  return isSameName(database, scope.database, scope);
}

/** Whether a target belongs to the database, by its qualifier or by the session's default. */
export function belongs(name: TargetName, logged: LoggedStatement, scope: ReplayScope): boolean {
  return isOurs(name.database ?? logged.defaultDatabase, scope);
}
