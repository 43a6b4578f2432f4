/**
 * Tables that are restored without the others come from another time than these: rows may refer to rows
 * that are not there, because a load does not look at foreign keys.
 */
import { orphanCount, readForeignKeys } from '../../mysql/foreign-keys.js';
import type { ForeignKey } from '../../mysql/foreign-keys.js';
import { ERRNO, isServerError } from '../../mysql/server-error.js';
import type { Session } from '../../mysql/session.js';
import type { Run } from '../run.js';

const COUNT_TIMEOUT_MS = 24 * 3600 * 1000;

/** Warns for each foreign key that leads from or to one of the tables and is not whole. */
export async function warnOfOrphans(
  session: Session,
  database: string,
  tables: readonly string[],
  run: Pick<Run, 'warn'>,
): Promise<void> {
  for (const key of await readForeignKeys(session, database, new Set(tables))) {
    const message = await describeLoss(session, key);
    if (message !== undefined) run.warn({ code: 'ORPHANS', message });
  }
}

async function describeLoss(session: Session, key: ForeignKey): Promise<string | undefined> {
  const { name, table, parentTable } = key;
  const sql = orphanCount(key);
  try {
    const rows = Number(await session.value(sql, { timeoutMs: COUNT_TIMEOUT_MS }));
    if (rows === 0) return undefined;
    return `${rows} rows of ${table} refer to rows that ${parentTable} does not have (foreign key ${name}): restore both from one backup, or see to them; \`${sql.replace('COUNT(*)', 'c.*')}\` shows them`;
  } catch (error) {
    // The table of another database that the user may not read.
    if (isServerError(error, ERRNO.tableAccessDenied, ERRNO.columnAccessDenied)) return undefined;
    if (!isServerError(error, ERRNO.noSuchTable)) throw error;
    return `${table} refers to ${parentTable}, which is not there (foreign key ${name}): no row can be written to ${table} until \`reshelve restore --table\` brings it too`;
  }
}
