/**
 * Goal: segments of an hour become one incremental, and at no instant of that is anything lost. Method:
 * segments of a real capture, merged as if hours had passed, with a merge that ends before and behind the
 * one step that counts; each time the newest state is restored and compared by an oracle of its own.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { CatalogStore } from '../../src/catalog/store.js';
import type { Context } from '../../src/operations/context.js';
import { recordedRun } from '../../src/operations/run.js';
import { mergeSegments } from '../../src/operations/stream/merge-segments.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { contextOf, readIndex } from '../support/capture.js';
import { createWorkspace } from '../support/cli.js';
import { privateServer, query } from '../support/servers.js';

const DATABASE = 'LibraryDB';
const HOURS_MS = 2 * 3600_000;
const WAIT_MS_MAX = 60_000;
const SEGMENTS = 4;

test('merges segments of a past hour, and survives being killed at it', async () => {
  const server = await privateServer('mysql');
  await query(
    server,
    `CREATE DATABASE ${DATABASE}; USE ${DATABASE};
     CREATE TABLE BOOK (id INT AUTO_INCREMENT PRIMARY KEY, title TEXT);
     CREATE TABLE keyless (note TEXT)`,
  );
  const workspace = await createWorkspace(server, DATABASE, { BACKUP_STREAM_SEGMENT_SECONDS: '1' });
  onTestFinished(() => workspace.remove());
  const folder = join(workspace.backups, 'incremental');
  const listed = async (): Promise<string[]> =>
    (await workspace.catalog())
      .filter(({ type, status, file }) => type === 'incremental' && status !== 'failed' && file)
      .map(({ file }) => file ?? '');

  async function expectWhole(): Promise<void> {
    const { code, stderr } = await workspace.run(['restore', '--into', 'copy', '--yes']);
    expect(code, stderr).toBe(0);
    const source = await captureState(server, DATABASE);
    expect(compareStates(source, await captureState(server, 'copy'))).toEqual([]);
  }

  /** Captures until there are so many more files, each with a change, and ends in good order. */
  async function capture(more: number): Promise<string> {
    const wanted = (await listed()).length + more;
    const { child, ended } = workspace.start(['stream']);
    const deadline = performance.now() + WAIT_MS_MAX;
    while ((await listed()).length < wanted && performance.now() < deadline) {
      await query(
        server,
        `INSERT INTO BOOK (title) VALUES ('a'), ('b'); INSERT INTO keyless VALUES (UUID());
         DELETE FROM BOOK ORDER BY id LIMIT 1; SET SESSION sql_mode = 'ANSI_QUOTES';
         CREATE TABLE t_${Date.now()} ("id" INT)`,
        DATABASE,
      );
      await sleep(200);
    }
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code, stdout + stderr).toBe(0);
    return stdout;
  }

  function merge(
    absorb?: (real: CatalogStore['absorb']) => CatalogStore['absorb'],
  ): Promise<string[]> {
    const context = contextOf(workspace);
    const { catalog } = context;
    const later: Context = {
      ...context,
      now: () => new Date(Date.now() + HOURS_MS),
      catalog: {
        path: catalog.path,
        read: () => catalog.read(),
        append: (entry) => catalog.append(entry),
        update: (id, patch) => catalog.update(id, patch),
        recoverDamaged: (rebuilt) => catalog.recoverDamaged(rebuilt),
        absorb: (absorb ?? ((real) => real))((...args) => catalog.absorb(...args)),
      },
    };
    return recordedRun(later, 'incremental', mergeSegments, { shortRunOf: 'stream' });
  }

  expect((await workspace.run(['full'])).code).toBe(0);
  await capture(SEGMENTS);
  const before = await listed();

  await expect(merge(() => () => Promise.reject(new Error('killed before')))).rejects.toThrow();
  expect(await listed()).toEqual(before);
  expect(await readdir(folder)).toHaveLength(before.length + 1);
  await expectWhole();
  expect(await capture(1)).toMatch(/Removed incremental\/.*, which an interrupted merge left/);

  const after = await listed();
  await expect(
    merge((real) => async (...args) => {
      await real(...args);
      throw new Error('killed behind');
    }),
  ).rejects.toThrow();
  expect((await listed()).length).toBeLessThan(after.length);
  await expectWhole();
  expect(await capture(1)).toMatch(/Removed incremental\/.*, which an interrupted merge left/);
  expect((await readdir(folder)).map((name) => `incremental/${name}`).sort()).toEqual(
    (await listed()).sort(),
  );

  await capture(2);
  const [merged = ''] = await merge();
  const { header } = await readIndex(join(workspace.backups, merged));
  expect(header.chain?.merged?.length).toBeGreaterThan(1);
  expect(header.chain?.segment).toBeUndefined();
  await expectWhole();
  await query(server, "INSERT INTO keyless VALUES ('behind the merge')", DATABASE);
  const next = await workspace.run(['incremental']);
  expect(next.code, next.stderr).toBe(0);
  await expectWhole();
  const verified = await workspace.run(['verify']);
  expect(verified.code, verified.stderr).toBe(0);
});
