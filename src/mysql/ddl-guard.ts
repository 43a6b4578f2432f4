/**
 * Keeps definitions still while they and their rows are read. Where the grants allow, the server's
 * own backup lock holds DDL off without harm to anybody else; metadata locks can do it for every
 * user, but whoever waits behind them blocks the table, so they are only taken when asked for.
 */
import { ReshelveError } from '../errors.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { GrantSet } from './grants.js';
import { ERRNO, isServerError } from './server-error.js';
import { isAtLeast } from './server-facts.js';
import type { Session } from './session.js';

export interface DdlGuard {
  readonly kind: 'backup-lock' | 'metadata-locks' | 'none';
  readonly note: string;
  /** Throws CONNECTION_LOST if the guard has not held all the time. */
  confirm(): Promise<void>;
  close(): Promise<void>;
}

const LOCK_WAIT_SECONDS = 10;
const LOCK_TIMEOUT_MS = (LOCK_WAIT_SECONDS + 20) * 1000;
const CONFIRM_TIMEOUT_MS = 60_000;

const NONE: DdlGuard = {
  kind: 'none',
  note: 'changes of definitions are not held off but would be detected',
  confirm: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** The statements of the server's backup lock, or none where it has no such lock or we no right. */
function backupLockStatements(
  session: Session,
  grants: GrantSet,
  tables: readonly { readonly transactional: boolean }[],
): readonly string[] {
  const { facts } = session;
  if (facts.flavour === 'mysql') {
    const possible = isAtLeast(facts, 8, 0) && grants.holdsGlobally('BACKUP_ADMIN');
    return possible ? ['LOCK INSTANCE FOR BACKUP'] : [];
  }
  // MariaDB's stage would wait for the lock that tables without transactions are read under.
  const possible =
    isAtLeast(facts, 10, 4, 1) &&
    grants.holdsGlobally('RELOAD') &&
    tables.every((table) => table.transactional);
  return possible ? ['BACKUP STAGE START', 'BACKUP STAGE FLUSH', 'BACKUP STAGE BLOCK_DDL'] : [];
}

/** Takes the backup lock if it can be had within some seconds; otherwise changes are detected. */
export async function guardByBackupLock(
  open: () => Promise<Session>,
  grants: GrantSet,
  tables: readonly { readonly transactional: boolean }[],
): Promise<DdlGuard> {
  const session = await open();
  try {
    const statements = backupLockStatements(session, grants, tables);
    if (statements.length > 0 && (await tryLock(session, statements))) {
      return guardOf(session, 'backup-lock', 'changes of definitions wait until the backup ends');
    }
  } catch (error) {
    await session.close();
    throw error;
  }
  await session.close();
  return NONE;
}

async function tryLock(session: Session, statements: readonly string[]): Promise<boolean> {
  await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
  try {
    for (const statement of statements) {
      await session.execute(statement, { timeoutMs: LOCK_TIMEOUT_MS });
    }
    return true;
  } catch (error) {
    if (isServerError(error)) return false;
    throw error;
  }
}

/** Every reader holds the tables itself, by {@link holdTables}. */
export const METADATA_LOCKS: DdlGuard = {
  kind: 'metadata-locks',
  note: 'changes of tables wait until the backup ends',
  confirm: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/**
 * Holds a metadata lock on each of the tables, by reading no row of it, until the transaction of
 * `reader` ends. The session that reads the rows must hold them itself: a change of a table that waits
 * for one session would let no other in, and both would wait for good. Tables that are gone by then
 * are passed over. Throws the server's error where a lock cannot be had in time.
 */
export async function holdTables(
  reader: Session,
  tables: readonly { readonly name: string }[],
): Promise<void> {
  await reader.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
  for (const { name } of tables) await holdTable(reader, name);
}

async function holdTable(session: Session, table: string): Promise<void> {
  try {
    await session.query(`SELECT 1 FROM ${quoteIdentifier(table)} LIMIT 0`, {
      timeoutMs: LOCK_TIMEOUT_MS,
    });
  } catch (error) {
    if (!isServerError(error, ERRNO.noSuchTable)) throw error;
  }
}

function guardOf(session: Session, kind: DdlGuard['kind'], note: string): DdlGuard {
  return {
    kind,
    note,
    confirm: async () => {
      try {
        await session.ping(CONFIRM_TIMEOUT_MS);
      } catch (cause) {
        throw new ReshelveError(
          'CONNECTION_LOST',
          `${session.where} ended the connection that held definitions still`,
          { cause },
        );
      }
    },
    close: () => session.close(),
  };
}
