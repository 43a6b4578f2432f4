/**
 * Resident memory while the changes of a single transaction of about 1 GB are captured, proven and
 * restored: of an ordinary one, and of an XA transaction, whose rows wait for its decision.
 */
import type { Connection } from 'mysql2/promise';
import { whileNotAborted } from '../demo/interruption.js';
import {
  createWorkDirectory,
  plainEnvironment,
  PROGRAM,
  removeWorkDirectory,
} from '../demo/reshelve.js';
import type { PrivateServer } from '../sandbox/index.js';
import { TARGET_DATABASE } from './contenders.js';
import { measure } from './measure.js';
import { connect, openBenchServer } from './server.js';
import { quoteWord } from './shell.js';

const DATABASE = 'TransactionBench';
/** An update logs each row twice, as it was and as it is. */
const ROWS = 500;
const ROW_BYTES = 1_000_000;
const LIMIT_MEGABYTES = 300;
const COMMANDS = ['incremental', 'verify', `restore --yes --into ${TARGET_DATABASE}`];

const KINDS = [
  { title: 'one transaction', begin: 'START TRANSACTION', end: ['COMMIT'] },
  {
    title: 'an XA transaction',
    begin: "XA START 'bench'",
    end: ["XA END 'bench'", "XA PREPARE 'bench'", "XA COMMIT 'bench'"],
  },
] as const;

/** Prints the table; true where every figure is below its limit. */
export async function measureTransaction(signal: AbortSignal): Promise<boolean> {
  const server = await whileNotAborted(openBenchServer(undefined, console.log), signal);
  try {
    const connection = await connect(server);
    let isWithin = true;
    try {
      console.log(`MySQL ${server.version}, Node.js ${process.versions.node}`);
      for (const kind of KINDS) isWithin = (await measureKind(server, kind, signal)) && isWithin;
    } finally {
      connection.destroy();
    }
    return isWithin;
  } finally {
    await server.stop();
  }
}

async function measureKind(
  server: PrivateServer,
  { title, begin, end }: (typeof KINDS)[number],
  signal: AbortSignal,
): Promise<boolean> {
  const directory = await createWorkDirectory(server, DATABASE, { DB_SOCKET: server.socketPath });
  const connection = await connect(server);
  let isWithin = true;
  try {
    await prepare(connection);
    const run = (command: string): ReturnType<typeof measure> =>
      measure({
        script: `exec ${quoteWord(process.execPath)} ${quoteWord(PROGRAM)} ${command}`,
        directory,
        environment: plainEnvironment(),
        serverPid: server.pid,
        signal,
      });
    await run('full');
    await connection.query(begin);
    await connection.query(`UPDATE SCAN SET image = CONCAT(image, 'changed')`);
    for (const statement of end) await connection.query(statement);
    for (const command of COMMANDS) {
      signal.throwIfAborted();
      await connection.query(`DROP DATABASE IF EXISTS ${TARGET_DATABASE}`);
      const { peakRssBytes, wallSeconds } = await run(command);
      const peak = peakRssBytes / 1e6;
      isWithin = isWithin && peak < LIMIT_MEGABYTES;
      console.log(
        `${title}, ${command.split(' ')[0] ?? ''}: peak ${peak.toFixed(0)} MB resident ` +
          `(limit ${LIMIT_MEGABYTES}), ${wallSeconds.toFixed(1)} s`,
      );
    }
  } finally {
    connection.destroy();
    await removeWorkDirectory(directory);
  }
  return isWithin;
}

async function prepare(connection: Connection): Promise<void> {
  await connection.query(`DROP DATABASE IF EXISTS ${DATABASE}`);
  await connection.query(`CREATE DATABASE ${DATABASE}`);
  await connection.query(`USE ${DATABASE}`);
  await connection.query(
    'CREATE TABLE SCAN (scan_id INT UNSIGNED NOT NULL PRIMARY KEY, image LONGBLOB NOT NULL)',
  );
  await connection.query(`SET SESSION cte_max_recursion_depth = ${ROWS + 1}`);
  const image = `LEFT(REPEAT(CONCAT(SHA2(n, 512), RANDOM_BYTES(1024)), 1000), ${ROW_BYTES})`;
  await connection.query(`INSERT INTO SCAN
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${ROWS})
    SELECT n, ${image} FROM number`);
}
