/**
 * Goal: a continuous capture beside everything else that people run. Method: its process follows a real
 * server while rows are written; what it saved is restored and compared by an oracle of its own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { privateServer, query } from '../support/servers.js';

const DATABASE = 'LibraryDB';
const WAIT_MS_MAX = 60_000;

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  let server: PrivateServer;
  let workspace: Workspace;

  beforeAll(async () => {
    server = await privateServer(flavour);
    await query(
      server,
      `CREATE DATABASE ${DATABASE}; CREATE DATABASE Other; USE ${DATABASE};
       CREATE TABLE BOOK (id INT AUTO_INCREMENT PRIMARY KEY, title TEXT);
       CREATE TABLE keyless (note TEXT);
       CREATE TABLE Other.noise (id INT)`,
    );
    workspace = await createWorkspace(server, DATABASE, { BACKUP_STREAM_SEGMENT_SECONDS: '1' });
    await succeed(['full']);
  });
  afterAll(async () => {
    await workspace.remove();
    await server.stop();
  });

  async function succeed(args: readonly string[]): Promise<CliResult> {
    const result = await workspace.run(args);
    expect(result.code, result.stderr).toBe(0);
    return result;
  }

  const write = async (note: string): Promise<void> => {
    await query(
      server,
      `INSERT INTO BOOK (title) VALUES ('${note}'), ('${note}'); INSERT INTO keyless VALUES ('${note}');
       INSERT INTO Other.noise VALUES (1)`,
      DATABASE,
    );
  };

  const incrementals = async (): Promise<number> =>
    (await workspace.catalog()).filter((e) => e.type === 'incremental' && e.status === 'success')
      .length;

  /** Gives the number of them; where they do not come, the error says what the capture said. */
  async function untilMoreThan(
    count: number,
    { child, ended }: ReturnType<Workspace['start']>,
  ): Promise<number> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (performance.now() < deadline) {
      const now = await incrementals();
      if (now > count) return now;
      await delay(50);
    }
    child.kill('SIGKILL');
    const { stdout, stderr } = await ended;
    throw new Error(`expected more than ${count} incrementals:\n${stdout}${stderr}`);
  }

  async function expectWhole(): Promise<void> {
    const { code, stderr } = await workspace.run(['restore', '--into', 'copy', '--yes']);
    expect(code, stderr).toBe(0);
    const source = await captureState(server, DATABASE);
    expect(compareStates(source, await captureState(server, 'copy'))).toEqual([]);
  }

  test('captures beside a second one, an incremental and a full backup, and ends when told', async () => {
    const running = workspace.start(['stream']);
    const { child, ended } = running;
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await write('first');
    let count = await untilMoreThan(0, running);

    const second = await workspace.run(['stream']);
    expect(second.code).toBe(6);
    expect(second.stderr).toContain(`\`stream\` (pid ${child.pid} on `);
    expect((await workspace.run(['status'])).stdout).toMatch(
      /continuous capture +following, \d+ s behind the server, all saved up to \d{4}-/,
    );

    await write('beside an incremental');
    await succeed(['incremental']);
    await write('behind it');
    count = await untilMoreThan(count + 1, running);
    await write('before a full backup');
    await succeed(['full']);
    await write('behind the full backup');
    await untilMoreThan(count + 1, running);
    await query(server, 'DELETE FROM BOOK WHERE id % 3 = 0; CREATE TABLE later (id INT)', DATABASE);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/✓ Segment saved: backups\/incremental\/incremental_LibraryDB_/);
    expect(stdout).toMatch(/Capture stopped\n$/);
    await expectWhole();
  });

  test('nothing changes: no file; what cannot be replayed: exit 5, and what came before is saved', async () => {
    await succeed(['full']);
    const { child, ended } = workspace.start(['stream']);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const before = await incrementals();
    await query(server, 'INSERT INTO Other.noise VALUES (2)');
    await delay(3000);
    expect(await incrementals()).toBe(before);
    await write('the last one');
    await query(server, `RENAME TABLE Other.noise TO ${DATABASE}.noise`);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(5);
    expect(stderr).toMatch(/error CHAIN_GAP: no incremental can follow: .*noise/);
    await query(server, `DROP TABLE ${DATABASE}.noise`);
    await expectWhole();
  });
});
