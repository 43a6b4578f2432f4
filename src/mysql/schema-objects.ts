/**
 * Reads views, routines, triggers, events and sequences. Their texts come in the bytes of the client
 * that created them (`character_set_results = NULL`), because a body may hold characters that a
 * conversion would change; each text is kept with the session state that it needs to be run again.
 */
import { ReshelveError } from '../errors.js';
import { quoteIdentifier, quoteString } from '../sql/quote.js';
import { tokenize } from '../sql/tokenizer.js';
import { listCallables, listEvents, listTriggers } from './object-names.js';
import type { ObjectName } from './object-names.js';
import type { ObjectType, StoredObject } from './schema.js';
import { ERRNO, isServerError } from './server-error.js';
import type { ResultSet, Session, TextRecord } from './session.js';

/** The objects in an order in which they can be made again, views excepted (see `viewOrder`). */
export async function readObjects(
  session: Session,
  database: string,
  views: readonly string[],
  sequences: readonly string[],
): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for (const name of sequences) objects.push(await readSequence(session, database, name));
  const named = await readNamed(session, database, [
    ...(await listCallables(session, database)),
    ...views.map((name): ObjectName => ({ type: 'view', name })),
    ...(await listTriggers(session, database)),
    ...(await listEvents(session, database)),
  ]);
  return [...objects, ...named];
}

/** Those of {@link readObjects} on which accounts may hold rights of their own. */
export async function readCallables(session: Session, database: string): Promise<StoredObject[]> {
  return readNamed(session, database, await listCallables(session, database));
}

async function readNamed(
  session: Session,
  database: string,
  names: readonly ObjectName[],
): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  await session.execute('SET SESSION character_set_results = NULL');
  try {
    for (const name of names) objects.push(await readObject(session, database, name));
  } finally {
    await session.execute('SET SESSION character_set_results = utf8mb4');
  }
  return objects;
}

const TEXT_COLUMN: ReadonlyMap<ObjectType, string> = new Map([
  ['view', 'Create View'],
  ['procedure', 'Create Procedure'],
  ['function', 'Create Function'],
  ['package', 'Create Package'],
  ['package body', 'Create Package Body'],
  ['library', 'Create Library'],
  ['trigger', 'SQL Original Statement'],
  ['event', 'Create Event'],
]);

/**
 * Character sets whose characters may hold the byte of a backslash: a plain mysql client, which reads
 * the archive as utf8mb4, would lose its way in such a text. It is taken in utf8mb4 instead; literals
 * keep their character set, which comes from `collation_connection`.
 */
const AMBIGUOUS_CHARACTER_SETS = new Set(['sjis', 'cp932', 'gbk', 'big5', 'gb18030']);

async function readObject(
  session: Session,
  database: string,
  object: ObjectName,
): Promise<StoredObject> {
  const qualified = `${quoteIdentifier(database)}.${quoteIdentifier(object.name)}`;
  const shown = await showCreate(session, object, qualified);
  if (shown === undefined) return readUnusableView(session, database, object);
  const { text, warnings } = shown;
  if (shown.createStatement === null || shown.createStatement.length === 0) {
    throw unreadable(session, database, object);
  }
  const createStatement = await withExactComment(session, database, object, shown);
  const timeZone = text('time_zone');
  const broken =
    object.type === 'view'
      ? await readViewComplaint(session, qualified, createStatement, warnings)
      : undefined;
  return {
    type: object.type,
    name: object.name,
    ...(object.table === undefined ? {} : { table: object.table }),
    createStatement,
    sqlMode: text('sql_mode') ?? '',
    characterSetClient: shown.characterSet,
    collationConnection: text('collation_connection') ?? 'utf8mb4_general_ci',
    databaseCollation: text('Database Collation') ?? null,
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(broken === undefined ? {} : { broken }),
  };
}

interface ShownObject {
  readonly createStatement: Buffer | null;
  /** The character set of `createStatement`. */
  readonly characterSet: string;
  readonly text: (column: string) => string | undefined;
  readonly warnings: number;
}

/** Names come in utf8mb4 whatever the body's character set is, and one text has only one. */
function isTakenAsUnicode(object: ObjectName, characterSet: string): boolean {
  if (AMBIGUOUS_CHARACTER_SETS.has(characterSet)) return true;
  const isAscii = /^[\x20-\x7e]*$/.test(object.name + (object.table ?? ''));
  return !isAscii && !characterSet.startsWith('utf8') && characterSet !== 'binary';
}

/** SHOW CREATE; undefined for a view whose text the server itself cannot read any more. */
async function showCreate(
  session: Session,
  object: ObjectName,
  qualified: string,
): Promise<ShownObject | undefined> {
  const statement = `SHOW CREATE ${object.type.toUpperCase()} ${qualified}`;
  let result: ResultSet;
  try {
    result = await session.query(statement);
  } catch (error) {
    if (object.type === 'view' && isServerError(error, ERRNO.parse)) return undefined;
    throw error;
  }
  const bytes = (column: string): Buffer | null =>
    result.rows[0]?.[result.columns.indexOf(column)] ?? null;
  const text = (column: string): string | undefined => bytes(column)?.toString('utf8');
  const column = TEXT_COLUMN.get(object.type) ?? '';
  const characterSet = text('character_set_client') ?? 'utf8mb4';
  if (isTakenAsUnicode(object, characterSet)) {
    await session.execute('SET SESSION character_set_results = utf8mb4');
    result = await session.query(statement);
    const createStatement = await repairNames(session, object, characterSet, bytes(column));
    await session.execute('SET SESSION character_set_results = NULL');
    const { warnings } = result.ok;
    return { createStatement, characterSet: 'utf8mb4', text, warnings };
  }
  return {
    createStatement: bytes(column),
    characterSet,
    text,
    warnings: result.ok.warnings,
  };
}

/**
 * The server puts names in utf8mb4 into a text that it then takes to be in the body's character set,
 * so that in utf8mb4 the names come out encoded twice; they are put right again.
 */
async function repairNames(
  session: Session,
  object: ObjectName,
  characterSet: string,
  createStatement: Buffer | null,
): Promise<Buffer | null> {
  if (createStatement === null || object.type === 'view') return createStatement;
  let text = createStatement.toString('utf8');
  for (const name of [object.name, ...(object.table === undefined ? [] : [object.table])]) {
    const mangled = await encodedTwice(session, name, characterSet);
    text = text.replace(quoteIdentifier(mangled), () => quoteIdentifier(name));
  }
  return Buffer.from(text, 'utf8');
}

async function encodedTwice(session: Session, text: string, characterSet: string): Promise<string> {
  const bytes = Buffer.from(text, 'utf8').toString('hex');
  const mangled = `CONVERT(CONVERT(0x${bytes} USING ${characterSet}) USING utf8mb4)`;
  return (await session.value(`SELECT ${mangled}`)) ?? text;
}

const COMMENT_SOURCES: ReadonlyMap<ObjectType, readonly [table: string, prefix: string]> = new Map([
  ['procedure', ['ROUTINES', 'ROUTINE']],
  ['function', ['ROUTINES', 'ROUTINE']],
  ['event', ['EVENTS', 'EVENT']],
]);

/**
 * The server prints a comment with backslash escapes even where the object's sql_mode has none, and
 * in utf8mb4 even where the body has another character set; run again it would be another comment.
 */
async function withExactComment(
  session: Session,
  database: string,
  object: ObjectName,
  shown: ShownObject,
): Promise<Buffer> {
  const { createStatement, characterSet } = shown;
  const text = createStatement ?? Buffer.alloc(0);
  const source = COMMENT_SOURCES.get(object.type);
  const noEscapes = shown.text('sql_mode')?.includes('NO_BACKSLASH_ESCAPES') === true;
  const printedIn = shown.text('character_set_client') ?? 'utf8mb4';
  if (source === undefined || (!noEscapes && characterSet === printedIn)) return text;
  const [table, prefix] = source;
  // A procedure and a function may have one name.
  const ofType = table === 'ROUTINES' ? ` AND ROUTINE_TYPE = '${object.type.toUpperCase()}'` : '';
  const comment = await session.value(
    `SELECT CONVERT(${prefix}_COMMENT USING utf8mb4) FROM information_schema.${table}
     WHERE ${prefix}_SCHEMA = ${quoteString(database)}
       AND ${prefix}_NAME = ${quoteString(object.name)}${ofType}`,
  );
  if (comment === undefined || comment === null || comment === '') return text;
  const printed =
    characterSet === printedIn ? comment : await encodedTwice(session, comment, printedIn);
  const exact = noEscapes ? `'${comment.replaceAll("'", "''")}'` : quoteString(comment);
  const old = Buffer.from(`COMMENT ${quoteString(printed)}`);
  const at = text.indexOf(old);
  if (at < 0) return text;
  const rest = text.subarray(at + old.length);
  return Buffer.concat([text.subarray(0, at), Buffer.from(`COMMENT ${exact}`), rest]);
}

async function readUnusableView(
  session: Session,
  database: string,
  object: ObjectName,
): Promise<StoredObject> {
  const definition = await session.value(
    `SELECT VIEW_DEFINITION FROM information_schema.VIEWS
     WHERE TABLE_SCHEMA = ${quoteString(database)} AND TABLE_NAME = ${quoteString(object.name)}`,
  );
  return {
    type: 'view',
    name: object.name,
    createStatement: Buffer.from(
      `CREATE VIEW ${quoteIdentifier(object.name)} AS ${definition ?? ''}`,
    ),
    sqlMode: '',
    characterSetClient: 'utf8mb4',
    collationConnection: 'utf8mb4_general_ci',
    databaseCollation: null,
    broken: `error ${ERRNO.parse}: the server itself cannot read its text`,
  };
}

function unreadable(session: Session, database: string, object: ObjectName): ReshelveError {
  const privilege =
    session.facts.flavour === 'mariadb' ? 'SELECT ON mysql.proc' : 'SHOW_ROUTINE ON *.*';
  return new ReshelveError(
    'PRIVILEGE',
    `the body of ${object.type} ${database}.${object.name} cannot be read: expected the privilege ` +
      `${privilege} but found none`,
    { hint: `Run as an administrator: GRANT ${privilege} TO the backup user.` },
  );
}

/** Why a view cannot be made again; undefined where it can. */
async function readViewComplaint(
  session: Session,
  view: string,
  text: Buffer,
  warnings: number,
): Promise<string | undefined> {
  if (tokenize(text).some((token) => !token.terminated)) {
    return 'the text that the server shows of it is not SQL';
  }
  if (warnings === 0) return undefined;
  try {
    await session.query(`SELECT 1 FROM ${view} LIMIT 0`);
    return undefined;
  } catch (error) {
    if (!isServerError(error) || error.errno === ERRNO.noSuchUser) return undefined;
    return `error ${error.errno}: the view refers to a table, column or function that is gone`;
  }
}

async function readSequence(
  session: Session,
  database: string,
  name: string,
): Promise<StoredObject> {
  const qualified = `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;
  const created = await session.query(`SHOW CREATE SEQUENCE ${qualified}`);
  const state: TextRecord | undefined = (
    await session.records(
      `SELECT next_not_cached_value AS next, cycle_count AS round FROM ${qualified}`,
    )
  )[0];
  const createStatement = created.rows[0]?.[1];
  if (createStatement === undefined || createStatement === null || state === undefined) {
    throw new ReshelveError('SCHEMA_CHANGED', `sequence ${database}.${name} has no definition`);
  }
  const next = state['next'] ?? '1';
  return {
    type: 'sequence',
    name,
    createStatement,
    sqlMode: '',
    characterSetClient: 'utf8mb4',
    collationConnection: 'utf8mb4_general_ci',
    databaseCollation: null,
    stateStatement: `DO SETVAL(${quoteIdentifier(name)}, ${next}, 0, ${state['round'] ?? '0'})`,
  };
}
