/** Logged statements that may name objects of several databases, and those about databases. */
import { applyEdits } from './ddl-text.js';
import { stripDatabaseQualifiers } from './ddl-qualifiers.js';
import { quoteIdentifier } from './quote.js';
import { belongs, isOurs, SKIP } from './logged-statement-scope.js';
import type { LoggedStatement, ReplayScope, Verdict } from './logged-statement-scope.js';
import type { StatementTokens, TargetName } from './logged-statement-tokens.js';

/** DROP TABLE, VIEW or SEQUENCE of a list: what of it is ours. */
export function classifyDrop(
  kind: 'TABLE' | 'VIEW' | 'SEQUENCE',
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  const isLenient = tokens.isAt('IF');
  tokens.skipWords('IF', 'EXISTS');
  const ours: string[] = [];
  do {
    const name = tokens.takeName();
    if (name !== undefined && belongs(name, logged, scope)) ours.push(name.name);
  } while (tokens.takeComma());
  if (ours.length === 0) return SKIP;
  const names = ours.map(quoteIdentifier).join(',');
  const sql = Buffer.from(`DROP ${kind} ${isLenient ? 'IF EXISTS ' : ''}${names}`);
  const ddl = kind === 'TABLE' ? 'drop' : 'object';
  return { action: 'replay', statements: [sql], isRebuilt: true, ddl, tables: ours };
}

/**
 * RENAME TABLE a TO b, …: as it is where all are ours; out of the database it is a DROP; into it,
 * what the table holds is in no log.
 */
export function classifyRename(
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  tokens.skipWords('IF', 'EXISTS');
  const pairs: { from: TargetName; to: TargetName; isFromOurs: boolean; isToOurs: boolean }[] = [];
  do {
    const from = tokens.takeName();
    while (!tokens.isAt('TO') && tokens.takeWord() !== '') continue; // WAIT n, NOWAIT
    tokens.skipWords('TO');
    const to = tokens.takeName();
    if (from === undefined || to === undefined) break;
    const isFromOurs = belongs(from, logged, scope);
    pairs.push({ from, to, isFromOurs, isToOurs: belongs(to, logged, scope) });
  } while (tokens.takeComma());
  const ours = pairs.filter(({ isFromOurs, isToOurs }) => isFromOurs || isToOurs);
  if (ours.length === 0) return SKIP;
  const incoming = ours.find(({ isFromOurs }) => !isFromOurs);
  if (incoming !== undefined) {
    const reason = `table ${incoming.to.name} came in from another database by RENAME TABLE`;
    return { action: 'end', reason };
  }
  const tables = ours.flatMap(({ from, to, isToOurs }) =>
    isToOurs ? [from.name, to.name] : [from.name],
  );
  const isAllOurs = ours.length === pairs.length && ours.every(({ isToOurs }) => isToOurs);
  if (isAllOurs) {
    const text = stripDatabaseQualifiers(logged.text, scope.database, scope);
    return { action: 'replay', statements: [text], ddl: 'rename', tables };
  }
  const statements = ours.map(({ from, to, isToOurs }) =>
    Buffer.from(
      isToOurs
        ? `RENAME TABLE ${quoteIdentifier(from.name)} TO ${quoteIdentifier(to.name)}`
        : `DROP TABLE ${quoteIdentifier(from.name)}`,
    ),
  );
  return { action: 'replay', statements, isRebuilt: true, ddl: 'rename', tables };
}

/** ALTER DATABASE is replayed without the name; a database that comes or goes ends its chain. */
export function classifyDatabase(
  verb: 'CREATE' | 'ALTER' | 'DROP',
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  if (verb === 'ALTER') return alterDatabase(tokens, logged, scope);
  const isLenient = tokens.isAt('IF');
  tokens.skipWords('IF', 'NOT', 'EXISTS');
  const name = tokens.takeName();
  if (name === undefined || !isOurs(name.name, scope)) return SKIP;
  if (verb === 'CREATE' && isLenient) return SKIP; // it was there and stayed
  const done = verb === 'DROP' ? 'dropped' : 'created';
  return { action: 'end', reason: `the database ${scope.database} was ${done}` };
}

/** Words that begin an option where the name may have been left out. */
const OPTION_WORDS = [
  'CHARACTER',
  'CHARSET',
  'COLLATE',
  'COMMENT',
  'DEFAULT',
  'ENCRYPTION',
  'READ',
  'UPGRADE',
] as const;

function alterDatabase(
  tokens: StatementTokens,
  logged: LoggedStatement,
  scope: ReplayScope,
): Verdict {
  const isNamed = !tokens.isAt(...OPTION_WORDS);
  const name = isNamed ? tokens.takeName() : undefined;
  if (!isOurs(name?.name ?? logged.defaultDatabase, scope)) return SKIP;
  const text =
    name === undefined
      ? logged.text
      : applyEdits(logged.text, [
          { start: name.start, end: name.end, replacement: Buffer.alloc(0) },
        ]);
  return { action: 'replay', statements: [text], ddl: 'database', tables: [] };
}
