/**
 * Changes that the log holds as statements are run again by a restore, and whatever they call is run with
 * them: what a trigger, a view or a routine reads in another database is then what that one holds by now.
 */
import type { Session } from '../../mysql/session.js';
import { readStoredBodies } from '../../mysql/stored-bodies.js';
import type { StoredBody } from '../../mysql/stored-bodies.js';
import { sqlNames } from '../../sql/ddl-names.js';
import { isOurs } from '../../sql/logged-statement-scope.js';
import type { ReplayScope } from '../../sql/logged-statement-scope.js';
import type { Warning } from '../context.js';

/** They hold nothing that a restore could find changed. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  'information_schema',
  'mysql',
  'performance_schema',
  'sys',
]);
const NAMES_SHOWN_MAX = 5;

/** `inText` is the number of transactions that hold such changes. */
export async function textWarnings(
  session: Session,
  database: string,
  inText: number,
): Promise<Warning[]> {
  if (inText === 0) return [];
  const lower = await session.value('SELECT @@GLOBAL.lower_case_table_names');
  const scope = { database, lowerCaseTableNames: Number(lower ?? 0) };
  const bodies = await readStoredBodies(session, database);
  const readers = bodies.filter((body) => readsElsewhere(body, scope));
  if (readers.length === 0) return [];
  const names = readers.slice(0, NAMES_SHOWN_MAX).map(({ type, name }) => `${type} ${name}`);
  const more = readers.length > names.length ? ' and others' : '';
  const message =
    `${inText} transactions are logged as statements, and ${names.join(', ')}${more} read other databases: ` +
    "where these were involved, a restore may give other rows; SET GLOBAL binlog_format = 'ROW', then run `reshelve full`";
  return [{ code: 'STATEMENTS_LOGGED', message }];
}

function readsElsewhere({ text, sqlMode }: StoredBody, scope: ReplayScope): boolean {
  return sqlNames(text, { sqlMode }).some(({ parts, role }) => {
    const [first, second] = parts;
    if (role === 'column' || first === undefined || second === undefined) return false;
    return !isOurs(first.name, scope) && !OF_THE_SERVER.has(first.name.toLowerCase());
  });
}
