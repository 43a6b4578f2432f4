/**
 * Goal: what the row path reads from a real server, it gives back to the bit. Method: each table of
 * the corpus is read, written as SQL, loaded into an empty copy by the server, and read again. The
 * digests must agree, and so must the server's own checksum over the stored bytes.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { openSession } from '../../src/mysql/connect.js';
import type { Session } from '../../src/mysql/session.js';
import { planColumns, type ColumnFacts, type ColumnPlan } from '../../src/sql/column-plan.js';
import { combineDigests, type TableDigest } from '../../src/sql/digest.js';
import { MemberParser } from '../../src/sql/kernel/member-parser.js';
import { RowEncoder } from '../../src/sql/kernel/row-encoder.js';
import { quoteIdentifier } from '../../src/sql/quote.js';
import { loadCorpus } from '../corpus/load.js';
import { json, jsonOpaque } from '../corpus/mysql/json.js';
import { vectors } from '../corpus/mysql/vector.js';
import { binary, giants } from '../corpus/shared/binary.js';
import { charsets } from '../corpus/shared/charsets.js';
import { geometry } from '../corpus/shared/geometry.js';
import { integers } from '../corpus/shared/integers.js';
import { keys, shapes } from '../corpus/shared/keys.js';
import { reals } from '../corpus/shared/reals.js';
import { temporal } from '../corpus/shared/temporal.js';
import { text } from '../corpus/shared/text.js';
import { theme, type CorpusTheme } from '../corpus/step.js';
import { createDatabase, sharedServer, type TestDatabase } from '../support/servers.js';

const mariadbTypes = theme('mariadb-types', [
  `CREATE TABLE mariadb_types (u UUID, i6 INET6, i4 INET4, j JSON, c TEXT COMPRESSED,
    b BLOB COMPRESSED, v VARCHAR(500) COMPRESSED CHARACTER SET sjis)`,
  `INSERT INTO mariadb_types VALUES
    ('123E4567-E89B-12D3-A456-426655440000', '2001:DB8::FF00:42:8329', '192.0.2.1', '{"a": 1.10}',
     REPEAT('x', 1000), REPEAT(0x00FF27, 400), REPEAT(_sjis 0x835c, 100)),
    ('ffffffff-ffff-ffff-ffff-ffffffffffff', '::ffff:192.0.2.1', '255.255.255.255', '[]', '', '', ''),
    ('00000000-0000-0000-0000-000000000000', '::', '0.0.0.0', 'null', 'é', 0x5c, _sjis 0x955c),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
]);

const SHARED_THEMES = [integers, reals, text, binary, giants, keys, shapes];
const THEMES: Readonly<Record<Flavour, readonly CorpusTheme[]>> = {
  mysql: [
    ...[...SHARED_THEMES, temporal('838:59:59.000000'), charsets(true), geometry(' SRID 4326')],
    ...[json, jsonOpaque, vectors],
  ],
  mariadb: [
    ...SHARED_THEMES,
    temporal('838:59:59.999999'),
    charsets(false),
    geometry(''),
    mariadbTypes,
  ],
};

/** Small, so that the tables of the corpus make many of both. */
const STATEMENT_BYTES_TARGET = 4096;
const MEMBER_BYTES_TARGET = 16_384;

async function open(server: ServerAddress, database: string): Promise<Session> {
  const { host, port, user } = server;
  const password = { reveal: (): string => server.password };
  const settings = { host, port, user, password, tls: { mode: 'disabled' as const } };
  const session = await openSession(settings, { database });
  await session.execute(
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', unique_checks = 0",
  );
  return session;
}

async function planTable(
  session: Session,
  flavour: Flavour,
  table: string,
): Promise<readonly ColumnPlan[]> {
  const records = await session.records(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME,
       GENERATION_EXPRESSION, EXTRA FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  );
  const columns = records.map((record): ColumnFacts => {
    return {
      name: record['COLUMN_NAME'] ?? '',
      dataType: record['DATA_TYPE'] ?? '',
      columnType: record['COLUMN_TYPE'] ?? '',
      characterSet: record['CHARACTER_SET_NAME'] ?? null,
      collation: record['COLLATION_NAME'] ?? null,
      generationExpression: record['GENERATION_EXPRESSION'] ?? null,
      extra: record['EXTRA'] ?? '',
    };
  });
  return planColumns(columns, flavour);
}

interface ReadTable {
  readonly digest: TableDigest;
  readonly members: readonly Buffer[];
}

/** Reads `table` as INSERT statements into `target`, or for the digest alone. */
async function readTable(
  session: Session,
  columns: readonly ColumnPlan[],
  table: string,
  target: string | undefined,
): Promise<ReadTable> {
  const list = columns.map(({ expression }) => expression).join(', ');
  const rows = await session.startRows(`SELECT ${list} FROM ${quoteIdentifier(table)}`);
  const encoder = new RowEncoder({
    insertPrefix: insertPrefix(target ?? table, columns),
    columns,
    statementBytesTarget: STATEMENT_BYTES_TARGET,
    memberBytesTarget: MEMBER_BYTES_TARGET,
    sequenceId: rows.firstSequence,
    hashOnly: target === undefined,
  });
  const members: Buffer[] = [];
  while (encoder.end === undefined) {
    const pieces = encoder.push(await rows.nextChunk());
    members.push(...pieces.map(({ sql }) => sql));
  }
  rows.finish(encoder.end.leftover);
  if (encoder.end.kind === 'error') throw new Error(encoder.end.message.toString());
  return { digest: encoder.end.digest, members };
}

function insertPrefix(table: string, columns: readonly ColumnPlan[]): Buffer {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(',');
  return Buffer.from(`INSERT INTO ${quoteIdentifier(table)} (${names}) VALUES\n`);
}

/** The statements of a member: only they end with `;` and a line break. */
function splitStatements(member: Buffer): Buffer[] {
  const statements: Buffer[] = [];
  let start = 0;
  for (let end = member.indexOf(';\n'); end !== -1; end = member.indexOf(';\n', start)) {
    statements.push(member.subarray(start, end));
    start = end + 2;
  }
  return statements;
}

async function storedChecksum(session: Session, table: string): Promise<string | undefined> {
  const [record] = await session.records(`CHECKSUM TABLE ${quoteIdentifier(table)} EXTENDED`);
  return record?.['Checksum'] ?? undefined;
}

async function checkTable(session: Session, flavour: Flavour, table: string): Promise<void> {
  const columns = await planTable(session, flavour, table);
  const source = await readTable(session, columns, table, 'the copy');
  await session.execute('DROP TABLE IF EXISTS `the copy`');
  await session.execute(`CREATE TABLE \`the copy\` LIKE ${quoteIdentifier(table)}`);
  const parser = new MemberParser({ insertPrefix: insertPrefix('the copy', columns), columns });
  const parsed: TableDigest[] = [];
  for (const member of source.members) {
    for (const statement of splitStatements(member)) await session.execute(statement);
    parser.push(member);
    parsed.push(parser.finish().digest);
  }
  const copy = await readTable(session, columns, 'the copy', undefined);
  expect(copy.digest, `${table} read back`).toStrictEqual(source.digest);
  expect(combineDigests(parsed), `${table} parsed`).toStrictEqual(source.digest);
  // A document updated in place keeps gaps inside, and so has other stored bytes than its copy.
  if (columns.some(({ encoding }) => encoding === 'json')) return;
  const checksum = await storedChecksum(session, table);
  expect(await storedChecksum(session, 'the copy'), `${table} stored`).toBe(checksum);
}

describe.each<Flavour>(['mysql', 'mariadb'])('the row path on %s', (flavour) => {
  let server: ServerAddress;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    database = await createDatabase(server, 'row_literals');
    return () => database.drop();
  });

  it.each(THEMES[flavour])('gives back $name to the bit', async (theme) => {
    await loadCorpus(server, database.name, [theme]);
    const session = await open(server, database.name);
    try {
      const tables = await session.records(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
      );
      expect(tables.length).toBeGreaterThan(0);
      for (const { TABLE_NAME: table } of tables) {
        if (typeof table === 'string') await checkTable(session, flavour, table);
      }
    } finally {
      await session.close();
    }
  });
});
