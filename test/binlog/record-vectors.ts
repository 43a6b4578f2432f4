/** Records the logs of test/vectors/binlog: `npx vitest run test/binlog/record` with UPDATE_VECTORS=1. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runClient } from '../../sandbox/index.js';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { initialStatements, runStatements, workload } from '../support/logged-workload.js';
import { privateServer, query } from '../support/servers.js';
import { DATABASE, FOLDER } from './vectors.js';
import type { Expectation } from './vectors.js';

/** First words of mysqlbinlog's descriptions, and our names of the types. */
const TYPE_BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Start: binlog v 4/, 'formatDescription'],
  [/^Previous-GTIDs/, 'previousGtids'],
  [/^GTID 0-|^GTID \d+-\d+-\d+/, 'mariaGtid'],
  [/^GTID/, 'gtid'],
  [/^Anonymous_GTID/, 'anonymousGtid'],
  [/^Query_compressed/, 'queryCompressed'],
  [/^Query/, 'query'],
  [/^Table_map/, 'tableMap'],
  [/^Write_compressed_rows/, 'writeRowsCompressed'],
  [/^Update_compressed_rows/, 'updateRowsCompressed'],
  [/^Delete_compressed_rows/, 'deleteRowsCompressed'],
  [/^Write_rows_v1/, 'writeRowsV1'],
  [/^Update_rows_v1/, 'updateRowsV1'],
  [/^Delete_rows_v1/, 'deleteRowsV1'],
  [/^Write_rows/, 'writeRows'],
  [/^Update_rows_partial/, 'partialUpdateRows'],
  [/^Update_rows/, 'updateRows'],
  [/^Delete_rows/, 'deleteRows'],
  [/^XID = X'/, 'xaPrepare'],
  [/^Xid/, 'xid'],
  [/^XA PREPARE/i, 'xaPrepare'],
  [/^Rotate/, 'rotate'],
  [/^Stop/, 'stop'],
  [/^Transaction_Payload/i, 'transactionPayload'],
  [/^Gtid list/i, 'mariaGtidList'],
  [/^Binlog checkpoint/i, 'binlogCheckpoint'],
  [/^Annotate_rows/, 'annotateRows'],
  [/^Rows_query/, 'rowsQuery'],
];

const KINDS = { 'INSERT INTO': 'inserted', UPDATE: 'updated', 'DELETE FROM': 'deleted' } as const;

export async function recordVector(
  name: string,
  flavour: Flavour,
  options: readonly string[],
): Promise<void> {
  const server = await privateServer(flavour, { options });
  await query(server, `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4; CREATE DATABASE other`);
  await query(
    server,
    'CREATE TABLE t (a INT, b VARCHAR(20)); CREATE TABLE dropped (a INT)',
    'other',
  );
  await query(server, flavour === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
  const tagged = options.includes('--gtid-mode=ON') ? ["SET GTID_NEXT = 'AUTOMATIC:tagged'"] : [];
  // Without the definition of the database, which would end the chain before anything is read.
  const items = [...initialStatements(), ...tagged, ...workload(flavour, 'other', DATABASE)];
  await runStatements(server, DATABASE, items.slice(0, items.indexOf('FLUSH BINARY LOGS') + 1));
  const log = join(server.dataDirectory, 'binlog.000001');
  await mkdir(FOLDER, { recursive: true });
  await copyFile(log, join(FOLDER, `${name}.binlog`));
  const expectation = await readByServersReader(server, log);
  await writeFile(join(FOLDER, `${name}.json`), `${JSON.stringify(expectation, null, 1)}\n`);
}

async function readByServersReader(server: PrivateServer, log: string): Promise<Expectation> {
  const tool = server.flavour === 'mysql' ? 'mysqlbinlog' : 'mariadb-binlog';
  const { stdout } = await runClient(server, tool, [
    '--base64-output=decode-rows',
    '-v',
    '-v',
    log,
  ]);
  const events: string[] = [];
  const rows: Record<string, number> = {};
  for (const line of stdout.toString('utf8').split('\n')) {
    const [, position, words] =
      /^#\d{6} .*? end_log_pos (\d+) (?:CRC32 0x\w+ )?\s*(.*)$/.exec(line) ?? [];
    if (position !== undefined && words !== undefined) {
      const type = TYPE_BY_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? words;
      events.push(`${position} ${type}`);
    }
    const row = /^### (INSERT INTO|UPDATE|DELETE FROM) `(.*)`\.`(.*)`$/.exec(line);
    if (row?.[2] !== DATABASE) continue;
    const key = `${KINDS[row[1] as keyof typeof KINDS]} ${row[3] ?? ''}`;
    rows[key] = (rows[key] ?? 0) + 1;
  }
  return { flavour: server.flavour, events, rows };
}
