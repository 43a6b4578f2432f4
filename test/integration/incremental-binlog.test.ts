/**
 * Incrementals from the binary log and recovery to a point: a workload of every kind of statement, its
 * true state recorded at many instants, and each of them restored by time, by GTID and by position.
 * RESHELVE_SOAK=1 records an instant after every statement.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { RawConnection } from '../corpus/raw-connection.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { initialStatements, runStatements, workload } from '../support/logged-workload.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const SOAK = process.env['RESHELVE_SOAK'] === '1';
/** Statements between two recorded instants. */
const STRIDE = SOAK ? 1 : 12;

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

interface Instant {
  /** As `--to` takes it. */
  readonly time: string;
  readonly gtid: string;
  readonly position: string;
  readonly state: DatabaseState;
}

/** MariaDB logs commit times in whole seconds, so an instant needs one for itself. */
const PAUSE_MS: Readonly<Record<Flavour, number>> = { mysql: 15, mariadb: 1100 };

async function recordInstant(
  server: PrivateServer,
  database: string,
  tick: number,
): Promise<Instant> {
  await query(server, `INSERT INTO tick VALUES (${tick})`, database);
  await delay(PAUSE_MS[server.flavour]);
  const [clock] = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
  const isMySql = server.flavour === 'mysql';
  const [status] = await query(server, isMySql ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  const [gtids] = await query(
    server,
    `SELECT ${isMySql ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_pos'} AS executed`,
  );
  const executed = String(gtids?.['executed']);
  const state = await captureState(server, database);
  await delay(PAUSE_MS[server.flavour]);
  return {
    time: `${String(clock?.['now'])}Z`,
    gtid: isMySql ? executed.replace(/:.*[-:](\d+)$/s, ':$1') : executed,
    position: `${String(status?.['File'])}:${String(status?.['Position'])}`,
    state,
  };
}

describe.each([
  ['mysql', ['--gtid-mode=ON', '--enforce-gtid-consistency=ON']],
  ['mariadb', []],
] as const)('%s', (flavour, options) => {
  it('restores every recorded instant', { timeout: 900_000 }, async () => {
    const server = await privateServer(flavour, { options });
    const { name } = await createDatabase(server, 'lib');
    const { name: other } = await createDatabase(server, 'other');
    await query(
      server,
      'CREATE TABLE t (a INT, b VARCHAR(20)); CREATE TABLE dropped (a INT)',
      other,
    );
    await runStatements(server, name, [
      ...initialStatements(),
      'CREATE TABLE tick (n INT PRIMARY KEY)',
    ]);
    const shop = await createWorkspace(server, name, { BACKUP_INCREMENTAL_RETENTION: '50' });
    workspace = shop;
    const early = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
    const full = await shop.run(['full']);
    expect(full.code, full.stderr).toBe(0);

    const instants: Instant[] = [];
    const connection = await RawConnection.open(server);
    await connection.run(`SET NAMES utf8mb4`);
    await connection.run(`USE ${name}`);
    const items = workload(flavour, other, name);
    for (const [at, item] of items.entries()) {
      const isList = typeof item === 'string' && /^(?:START|XA|CREATE TABLE swap)/.test(item);
      for (const part of isList ? item.split('; ') : [item]) await connection.run(part);
      if (at % STRIDE === STRIDE - 1) instants.push(await recordInstant(server, name, at));
      if (at === 20 || at === 21 || at === 60) {
        const run = await shop.run(['incremental']);
        expect(run.code, run.stderr).toBe(0);
        expect(run.stdout).toContain('of the binary log');
      }
    }
    await connection.end();
    const last = await recordInstant(server, name, 1_000_000);
    await delay(1500);
    expect((await shop.run(['incremental'])).code).toBe(0);

    const verified = await shop.run(['verify']);
    expect(verified.code, verified.stderr).toBe(0);
    const restore = async (args: readonly string[], state: DatabaseState): Promise<void> => {
      const copy = await createDatabase(server, 'copy');
      const restored = await shop.run(['restore', ...args, '--into', copy.name, '--yes']);
      expect(restored.code, `${args.join(' ')}: ${restored.stderr}`).toBe(0);
      expect(compareStates(state, await captureState(server, copy.name)), args.join(' ')).toEqual(
        [],
      );
      await copy.drop();
    };
    await restore([], last.state);
    for (const [at, { time, gtid, position, state }] of instants.entries()) {
      await restore(['--to', time], state);
      if (at % 3 === 0 || SOAK) await restore(['--to-gtid', gtid], state);
      if (at % 3 === 1 || SOAK) await restore(['--to-position', position], state);
    }
    const before = `${String(early[0]?.['now'])}Z`;
    const refused = await shop.run(['restore', '--to', before, '--yes']);
    expect(refused.code, refused.stderr).toBe(5);
    expect(refused.stderr).toMatch(/the nearest one that can is --to '/);
  });
});
