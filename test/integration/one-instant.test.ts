/**
 * One instant: money moves between tables all the while, and tables come and go; in every backup the
 * sum must be what it always is.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { runPatiently } from '../support/patience.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';

const TABLES = ['a', 'b', 'c', 'd'];
const ACCOUNTS = 400;
const START_BALANCE = 1000;
const TOTAL = TABLES.length * ACCOUNTS * START_BALANCE;
const WRITERS = 3;
const BACKUPS = 5;
/** A writer may wait for the moment in which the snapshots open, not longer. */
const BLOCKED_MS_MAX = 8000;

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

async function createAccounts(server: ServerAddress, database: string): Promise<void> {
  for (const table of TABLES) {
    const rows = Array.from({ length: ACCOUNTS }, (_, id) => `(${id}, ${START_BALANCE}, '')`);
    await query(
      server,
      `CREATE TABLE ${table} (id INT PRIMARY KEY, balance BIGINT NOT NULL, note VARCHAR(500) NOT NULL);
       INSERT INTO ${table} VALUES ${rows.join(',')}`,
      database,
    );
  }
}

async function userWith(
  server: ServerAddress,
  database: string,
  privileges: string,
): Promise<ServerAddress> {
  const user = `u_${database}`.slice(0, 32);
  await query(
    server,
    `CREATE USER \`${user}\`@'%' IDENTIFIED BY 'writer-password';
     GRANT ${privileges} ON \`${database}\`.* TO \`${user}\`@'%'`,
  );
  return { ...server, user, password: 'writer-password' };
}

interface Traffic {
  /** Ends it; the number of transfers and the longest that one took. */
  stop(): Promise<{ transfers: number; slowestMs: number }>;
}

function startTransfers(server: ServerAddress, database: string): Traffic {
  const end = new AbortController();
  let transfers = 0;
  let slowestMs = 0;
  const write = async (seed: number): Promise<void> => {
    const connection = await connectTo(server, database);
    try {
      for (let step = seed; !end.signal.aborted; step += 7) {
        const from = TABLES[step % TABLES.length] ?? 'a';
        const to = TABLES[(step * 3 + 1) % TABLES.length] ?? 'b';
        const started = performance.now();
        try {
          await connection.query('START TRANSACTION');
          await connection.query(
            `UPDATE ${from} SET balance = balance - 7, note = REPEAT('x', ${step % 400}) WHERE id = ${step % ACCOUNTS}`,
          );
          await connection.query(
            `UPDATE ${to} SET balance = balance + 7 WHERE id = ${(step * 5) % ACCOUNTS}`,
          );
          await connection.query('COMMIT');
          transfers += 1;
        } catch {
          // A deadlock between two writers undoes the whole transfer.
          await connection.query('ROLLBACK');
        }
        slowestMs = Math.max(slowestMs, performance.now() - started);
      }
    } finally {
      await connection.end();
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, (_, at) => write(at)));
  return {
    stop: async () => {
      end.abort();
      await writers;
      return { transfers, slowestMs };
    },
  };
}

/** Tables are made, altered, emptied, renamed and dropped until told to stop. */
function startChanges(server: ServerAddress, database: string): { stop(): Promise<number> } {
  const end = new AbortController();
  let changes = 0;
  const change = async (): Promise<void> => {
    const connection = await connectTo(server, database);
    try {
      for (let step = 0; !end.signal.aborted; step += 1) {
        const name = `temporary_${step % 5}`;
        for (const statement of [
          `CREATE TABLE IF NOT EXISTS ${name} (id INT PRIMARY KEY, v INT)`,
          `INSERT IGNORE INTO ${name} VALUES (1, ${step}), (2, ${step})`,
          `ALTER TABLE ${name} ADD COLUMN w_${step} INT`,
          `TRUNCATE TABLE ${name}`,
          `RENAME TABLE ${name} TO ${name}_b`,
          `DROP TABLE ${name}_b`,
        ]) {
          // MariaDB can make a RENAME the victim where LOCK TABLES wants the same tables.
          await runPatiently(() => connection.query(statement));
          changes += 1;
        }
        await delay(20);
      }
    } finally {
      await connection.end();
    }
  };
  const ended = change();
  return {
    stop: async () => {
      end.abort();
      await ended;
      return changes;
    },
  };
}

async function sumOf(server: ServerAddress, database: string): Promise<number> {
  const parts = TABLES.map((table) => `SELECT balance FROM ${table}`).join(' UNION ALL ');
  const [row] = await query(server, `SELECT SUM(balance) AS total FROM (${parts}) all_`, database);
  return Number(row?.['total']);
}

/** Restores as root into a database of its own, and gives the sum there. */
async function restoredSum(server: ServerAddress, database: string, file: string): Promise<number> {
  const admin = await createWorkspace(server, database);
  const copy = await createDatabase(server, 'copy');
  try {
    const restored = await admin.run(['restore', file, '--into', copy.name, '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    return await sumOf(server, copy.name);
  } finally {
    await copy.drop();
    await admin.remove();
  }
}

interface Situation {
  readonly title: string;
  /** Undefined is root. */
  readonly privileges?: string;
  readonly threads: string;
}

const SITUATIONS: readonly Situation[] = [
  { title: 'root', threads: '4' },
  {
    title: 'the guide’s grants',
    privileges: 'SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER',
    threads: '4',
  },
  { title: 'no right to lock', privileges: 'SELECT, SHOW VIEW, EVENT, TRIGGER', threads: '2' },
];

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it.each(SITUATIONS)('with $title, sums are of one instant', async (situation) => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'bank');
    await createAccounts(server, name);
    const { privileges, threads } = situation;
    const user = privileges === undefined ? server : await userWith(server, name, privileges);
    workspace = await createWorkspace(user, name, {
      BACKUP_THREADS: threads,
      BACKUP_RETENTION: '50',
    });
    const traffic = startTransfers(server, name);
    try {
      for (let at = 0; at < BACKUPS; at += 1) {
        const full = await workspace.run(['full']);
        // 3 where the user may not see whether there are routines.
        expect(privileges === undefined ? [0] : [0, 3], full.stderr).toContain(full.code);
      }
    } finally {
      const { transfers, slowestMs } = await traffic.stop();
      expect(transfers).toBeGreaterThan(100);
      expect(slowestMs).toBeLessThan(BLOCKED_MS_MAX);
    }
    const files = await workspace.finished();
    expect(files).toHaveLength(BACKUPS);
    for (const file of files) {
      expect(await restoredSum(server, name, `${workspace.backups}/${file}`)).toBe(TOTAL);
    }
  });

  it.each(SITUATIONS.slice(0, 2))('with $title, while tables come and go', async (situation) => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'bank');
    await createAccounts(server, name);
    const { privileges, threads } = situation;
    const user = privileges === undefined ? server : await userWith(server, name, privileges);
    workspace = await createWorkspace(user, name, { BACKUP_THREADS: threads });
    const traffic = startTransfers(server, name);
    const changes = startChanges(server, name);
    const codes: (number | null)[] = [];
    try {
      for (let at = 0; at < 3; at += 1) {
        const full = await workspace.run(['full']);
        codes.push(full.code);
        if (full.code === 1) expect(full.stderr).toContain('SCHEMA_CHANGED');
      }
    } finally {
      await traffic.stop();
      expect(await changes.stop()).toBeGreaterThan(20);
    }
    if (privileges === undefined) expect(codes).toEqual([0, 0, 0]);
    for (const file of await workspace.finished()) {
      expect(await restoredSum(server, name, `${workspace.backups}/${file}`)).toBe(TOTAL);
    }
    const entries = await workspace.catalog();
    expect(entries.filter(({ status }) => status === 'failed')).toHaveLength(
      codes.filter((code) => code === 1).length,
    );
  });
});
