/** The scheduler with continuous capture: what is written is saved, and `doctor` says whether it is. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { privateServer, query } from '../support/servers.js';

const DATABASE = 'LibraryDB';
const WAIT_MS_MAX = 90_000;

it.each(['mysql', 'mariadb'] as const)(
  'captures what is written (%s)',
  async (flavour) => {
    const server = await privateServer(flavour);
    await query(
      server,
      `CREATE DATABASE ${DATABASE}; USE ${DATABASE};
     CREATE TABLE BOOK (id INT AUTO_INCREMENT PRIMARY KEY, title TEXT);
     INSERT INTO BOOK (title) VALUES ('one')`,
    );
    const workspace = await createWorkspace(server, DATABASE, {
      // Far away: no backup but those of the capture.
      BACKUP_CRON_SCHEDULE: '0 0 1 1 *',
      BACKUP_STREAM: 'on',
      BACKUP_STREAM_SEGMENT_SECONDS: '1',
    });
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const before = await workspace.run(['doctor']);
    expect(before.code).toBe(3);
    expect(before.stdout).toContain(
      'continuous capture: BACKUP_STREAM is on, but nothing captures',
    );

    const { child, ended } = workspace.start(['schedule']);
    const saved = async (): Promise<number> =>
      (await workspace.catalog()).filter(
        ({ type, status }) => type === 'incremental' && status === 'success',
      ).length;
    const untilSaved = async (count: number): Promise<void> => {
      const deadline = performance.now() + WAIT_MS_MAX;
      while ((await saved()) < count) {
        if (performance.now() > deadline) throw new Error('no segment came');
        await delay(100);
      }
    };
    for (const round of [1, 2]) {
      await query(server, `INSERT INTO BOOK (title) VALUES ('round ${round}')`, DATABASE);
      await untilSaved(round);
    }
    const during = await workspace.run(['doctor']);
    expect(during.stdout).toMatch(
      /continuous capture: following, \d+ s behind the server, all saved/,
    );
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);

    const restored = await workspace.run(['restore', '--into', 'copy', '--yes']);
    expect(restored.code, restored.stderr).toBe(0);
    const source = await captureState(server, DATABASE);
    expect(compareStates(source, await captureState(server, 'copy'))).toEqual([]);
    const rows = await query(server, 'SELECT title FROM BOOK ORDER BY id', 'copy');
    expect(rows.map((row) => row['title'])).toEqual(['one', 'round 1', 'round 2']);
  },
  240_000,
);
