/**
 * Transactions that are hard to carry: huge ones, huge rows, prepared ones that are decided after the
 * next incremental, and their replay by a user who may do little.
 */
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openArchive } from '../../src/archive/archive-reader.js';
import type { IndexHeader } from '../../src/archive/index-types.js';
import { isMarkerLine, parseMarker } from '../../src/binlog/marker.js';
import type { Marker } from '../../src/binlog/marker.js';
import type { PrivateServer, ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { captureAfter, readIndex } from '../support/capture.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { replayByClient } from '../support/replay.js';
import { privateServer, query } from '../support/servers.js';

const DATABASE = 'lib';
const PACKET = '--max-allowed-packet=256M';

async function readMarkers(path: string): Promise<Marker[]> {
  const reader = await openArchive(path);
  try {
    const markers: Marker[] = [];
    for (const { number, kind } of reader.members()) {
      if (kind !== 'change') continue;
      const text = (await reader.readMember(number)).toString('latin1');
      markers.push(...text.split('\n').filter(isMarkerLine).map(parseMarker));
    }
    return markers;
  } finally {
    await reader.close();
  }
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let source: PrivateServer;
  let target: PrivateServer;
  let workspace: Workspace;
  let header: IndexHeader;
  let count = 0;
  const run = (sql: string) => query(source, sql, DATABASE);
  const numbers = (most: number): string =>
    `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${most})`;

  /** Captures what came since, replays it, and compares. Gives the path. */
  async function captureAndReplay(applier: ServerAddress = target): Promise<string> {
    count += 1;
    const { path, result } = await captureAfter(workspace, header, `increment-${count}.sql.gz`);
    if (result.kind === 'break') throw new Error(result.message);
    expect(result.unreplayable).toBeNull();
    ({ header } = await readIndex(path));
    await replayByClient(applier, DATABASE, path);
    const states = [await captureState(source, DATABASE), await captureState(target, DATABASE)];
    const [before, after] = states;
    if (before === undefined || after === undefined) throw new Error('both states are there');
    expect(compareStates(before, after)).toEqual([]);
    return path;
  }

  beforeAll(async () => {
    [source, target] = await Promise.all([
      privateServer(flavour, {
        options: [PACKET, ...(flavour === 'mysql' ? ['--binlog-transaction-compression=ON'] : [])],
      }),
      privateServer(flavour, { options: [PACKET] }),
    ]);
    for (const server of [source, target]) {
      await query(server, `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
    }
    await run('CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB, c VARCHAR(500))');
    workspace = await createWorkspace(source, DATABASE);
    const full = await workspace.run(['full']);
    expect(full.code, full.stderr).toBe(0);
    const [file = ''] = await workspace.finished();
    const path = join(workspace.backups, file);
    ({ header } = await readIndex(path));
    await replayByClient(target, DATABASE, path);
  });

  afterAll(async () => {
    await workspace.remove();
    await Promise.all([source.stop(), target.stop()]);
  });

  it('carries a transaction over several members', async () => {
    await run("INSERT INTO t (c) VALUES ('before')");
    await run(`SET SESSION ${flavour === 'mysql' ? 'cte_max_recursion_depth' : 'max_recursive_iterations'} = 1000000;
      START TRANSACTION;
      INSERT INTO t (c) ${numbers(30_000)} SELECT CONCAT(n, REPEAT(SHA2(n, 256), 5)) FROM number;
      DELETE FROM t WHERE a % 3 = 0; COMMIT`);
    await run("INSERT INTO t (c) VALUES ('after')");
    const path = await captureAndReplay();
    const markers = await readMarkers(path);
    const parts = markers.filter(({ continued, continues }) => continued ?? continues ?? false);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.map(({ continued }) => continued ?? false)).toEqual(parts.map((_, at) => at > 0));
    expect(parts.map(({ end }) => end === null)).toEqual(
      parts.map((_, at) => at < parts.length - 1),
    );
    const sum = (kind: 'inserted' | 'deleted'): number =>
      parts.flatMap(({ tables }) => tables).reduce((total, table) => total + (table[kind] ?? 0), 0);
    expect(sum('inserted')).toBe(30_000);
    expect(sum('deleted')).toBeGreaterThan(9_000);
    expect(markers.length - parts.length).toBe(2);
    const { members, changes } = await readIndex(path);
    expect(changes.reduce((total, { transactions }) => total + transactions, 0)).toBe(3);
    for (const { kind, longestStatement, sqlLength } of members) {
      if (kind !== 'change') continue;
      expect(longestStatement).toBeLessThan(1_000_000);
      expect(sqlLength).toBeLessThan(6_000_000);
    }
  });

  it('carries a row of 40 MB', async () => {
    await run(
      "INSERT INTO t (b) VALUES (REPEAT(CONCAT(CHAR(0), 'abc'), 10000000)); UPDATE t SET c = 'x' WHERE b IS NOT NULL",
    );
    const { members } = await readIndex(await captureAndReplay());
    expect(Math.max(...members.map(({ longestStatement }) => longestStatement))).toBeGreaterThan(
      50_000_000,
    );
  });

  it('carries prepared transactions from one incremental to the next', async () => {
    const connect = () =>
      mysql.createConnection({
        host: source.host,
        port: source.port,
        user: source.user,
        password: source.password,
        database: DATABASE,
      });
    for (const xid of ["'kept'", "'dropped','b',3"]) {
      const connection = await connect();
      await connection.query(`XA START ${xid}`);
      await connection.query("INSERT INTO t (c) VALUES ('prepared')");
      await connection.query(`XA END ${xid}`);
      await connection.query(`XA PREPARE ${xid}`);
      await connection.end();
    }
    await run("INSERT INTO t (c) VALUES ('meanwhile')");
    await captureAndReplay();
    expect(header.binlog?.pendingXa.map(({ xid }) => xid)).toEqual([
      "X'6b657074',X'',1",
      "X'64726f70706564',X'62',3",
    ]);
    await run("INSERT INTO t (c) VALUES ('still')");
    await captureAndReplay();
    expect(header.binlog?.pendingXa.length).toBe(2);
    await run(
      "XA COMMIT 'kept'; XA ROLLBACK 'dropped','b',3; INSERT INTO t (c) VALUES ('decided')",
    );
    const path = await captureAndReplay();
    expect(header.binlog?.pendingXa).toEqual([]);
    expect((await readMarkers(path)).length).toBe(2);
    await captureAndReplay();
  });

  // docs/ARCHITECTURE.md, “MariaDB's minimal row images”.
  it('warns where the log may lack what triggers change', async () => {
    await query(source, "SET GLOBAL binlog_row_image = 'MINIMAL'");
    try {
      const { result } = await captureAfter(workspace, header, 'minimal.sql.gz');
      const codes = result.kind === 'written' ? result.warnings.map(({ code }) => code) : [result];
      expect(codes).toEqual(flavour === 'mariadb' ? ['BINLOG_ROW_IMAGE'] : []);
    } finally {
      await query(source, "SET GLOBAL binlog_row_image = 'FULL'");
    }
  });

  it('is replayed by a user with the least privileges', async () => {
    const privilege = flavour === 'mysql' ? 'REPLICATION_APPLIER' : 'BINLOG REPLAY';
    await query(
      target,
      `CREATE USER applier@'%' IDENTIFIED BY 'x'; GRANT ${privilege} ON *.* TO applier@'%';
       GRANT ALL ON ${DATABASE}.* TO applier@'%'`,
    );
    await run(
      "CREATE TABLE u (a INT); INSERT INTO u VALUES (1); UPDATE t SET c = 'last'; DROP TABLE u",
    );
    const { flavour: kind, version, host, port, socketPath } = target;
    const applier = { flavour: kind, version, host, port, socketPath };
    await captureAndReplay({ ...applier, user: 'applier', password: 'x' });
  });

  it('follows the log while many write', async () => {
    let isOver = false;
    const writer = async (own: number): Promise<void> => {
      for (let at = 0; !isOver; at += 1) {
        await run(
          `INSERT INTO t (c) VALUES ('w${own}-${at}'); UPDATE t SET c = CONCAT(c, '+') WHERE a % 50 = ${own}`,
        );
      }
    };
    const writers = [1, 2, 3].map(writer);
    const paths: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { path, result } = await captureAfter(workspace, header, `busy-${round}.sql.gz`);
      if (result.kind === 'break') throw new Error(result.message);
      ({ header } = await readIndex(path));
      paths.push(path);
    }
    isOver = true;
    await Promise.all(writers);
    for (const path of paths) await replayByClient(target, DATABASE, path);
    await captureAndReplay();
  });
});
