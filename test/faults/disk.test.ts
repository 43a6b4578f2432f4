/** The backup directory cannot take the backup. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import type { ErrorCode } from '../../src/errors.js';
import { ERROR_TABLE } from '../../src/errors.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { sharedServer } from '../support/servers.js';
import {
  entriesOf,
  expectFailure,
  expectNoSecrets,
  expectNothingNew,
  namesIn,
  photograph,
} from './support/aftermath.js';
import { createLibrary } from './support/library.js';
import { mountBackups, NO_MOUNT, runLimited } from './support/limited.js';
import { startProxy } from './support/proxy.js';

const PAGE = 4096;
const MEGABYTE = 1024 * 1024;

let server: ServerAddress;
let library: TestDatabase;
let small: TestDatabase;

beforeAll(async () => {
  server = await sharedServer('mysql');
  library = await createLibrary(server);
  small = await createLibrary(server, { books: 50 });
});
afterAll(async () => {
  await library.drop();
  await small.drop();
});

async function newWorkspace(database: TestDatabase): Promise<Workspace> {
  const workspace = await createWorkspace(server, database.name, { BACKUP_THREADS: '2' });
  onTestFinished(() => workspace.remove());
  return workspace;
}

describe.skipIf(NO_MOUNT !== undefined)(`a disk of its own${reason()}`, () => {
  test('is full half way', async () => {
    const workspace = await newWorkspace(library);
    const disk = await mountBackups(workspace, 64 * MEGABYTE);
    expect((await workspace.run(['full'])).code).toBe(0);
    await disk.fillExcept(MEGABYTE);
    const before = await photograph(workspace);
    const result = await workspace.run(['full']);
    await expectFailure(workspace, before, result, {
      codes: ['DISK_FULL'],
      names: [workspace.backups],
      next: /BACKUP_DIR/,
      secrets: [server.password],
    });
    await rm(join(workspace.backups, 'filler'));
    const next = await workspace.run(['full']);
    expect(next.code, next.stderr).toBe(0);
  });

  /** From no room at all to enough, page by page: each stands for another moment of the run. */
  test('is full at any moment up to the entry in the catalog', async () => {
    const workspace = await newWorkspace(small);
    const disk = await mountBackups(workspace, 8 * MEGABYTE);
    expect((await workspace.run(['full'])).code).toBe(0);
    const before = await photograph(workspace);
    const unused = disk.freeBytes();
    const catalog = await readFile(join(workspace.backups, 'backup_logs.json'), 'utf8');
    const places = new Set<string>();
    for (let pages = 0; pages < 14; pages += 1) {
      await disk.fillExcept(pages * PAGE);
      const result = await workspace.run(['full']);
      await rm(join(workspace.backups, 'filler'));
      await expectNoSecrets(workspace, result, [server.password]);
      if (result.code === 0) break;
      expect(result.stderr).toContain('error DISK_FULL:');
      places.add(/cannot \w+ (\S+)/.exec(result.stderr)?.[1]?.replace(/^.*\//, '') ?? '');
      expect(result.code).toBe(1);
      await expectNothingNew(workspace, before);
      const last = (await entriesOf(workspace)).at(-1);
      const isRecorded = last?.status === 'failed' && last.error?.code === 'DISK_FULL';
      expect(isRecorded || result.stderr.includes('NOT_RECORDED'), result.stderr).toBe(true);
      await writeFile(join(workspace.backups, 'backup_logs.json'), catalog);
      expect(disk.freeBytes(), (await namesIn(workspace.backups)).join()).toBe(unused);
    }
    expect(
      [...places].some((name) => name.startsWith('.backup_logs.json')),
      [...places].join(),
    ).toBe(true);
    expect((await photograph(workspace)).files.size).toBe(before.files.size + 1);
    expect((await entriesOf(workspace)).at(-1)).toMatchObject({ status: 'success' });
  });

  test('is read-only', async () => {
    const workspace = await newWorkspace(small);
    const disk = await mountBackups(workspace, 8 * MEGABYTE);
    expect((await workspace.run(['full'])).code).toBe(0);
    disk.makeReadOnly();
    const before = await photograph(workspace);
    const result = await workspace.run(['full']);
    expect(result.stderr).toMatch(/NOT_RECORDED/);
    await expectFailure(workspace, before, result, {
      codes: ['DIRECTORY'],
      names: [workspace.backups, 'EROFS'],
      next: /BACKUP_DIR/,
      recorded: false,
      secrets: [server.password],
    });
  });

  test('becomes read-only half way', async () => {
    const workspace = await newWorkspace(library);
    const disk = await mountBackups(workspace, 64 * MEGABYTE);
    const before = await photograph(workspace);
    let isReadOnly = false;
    const proxy = await startProxy(server, {
      onDown: (_, { offset }) => {
        if (offset < 2 * MEGABYTE || isReadOnly) return;
        isReadOnly = true;
        // A remount needs that nobody has a file open for writing; a shutdown of the disk does not.
        disk.resize(PAGE);
      },
    });
    const result = await workspace.run(['full'], { DB_PORT: String(proxy.port) });
    await proxy.close();
    disk.resize(64 * MEGABYTE);
    expect(isReadOnly).toBe(true);
    expect(result.code).not.toBe(0);
    await expectNothingNew(workspace, before);
  });
});

function reason(): string {
  return NO_MOUNT === undefined ? '' : ` (left out: ${NO_MOUNT})`;
}

test('BACKUP_DIR is a file', async () => {
  const workspace = await newWorkspace(small);
  await writeFile(workspace.backups, 'not a directory');
  const before = await photograph(workspace);
  const result = await workspace.run(['full']);
  await expectFailure(workspace, before, result, {
    codes: ['DIRECTORY'],
    names: [workspace.backups],
    next: /BACKUP_DIR/,
    recorded: false,
    secrets: [server.password],
  });
  expect(await readFile(workspace.backups, 'utf8')).toBe('not a directory');
});

test('BACKUP_DIR lies below a file', async () => {
  const workspace = await newWorkspace(small);
  await writeFile(join(workspace.directory, 'file'), '');
  const before = await photograph(workspace);
  const result = await workspace.run(['full'], { BACKUP_DIR: './file/backups' });
  await expectFailure(workspace, before, result, {
    codes: ['DIRECTORY'],
    names: ['file/backups'],
    recorded: false,
  });
});

test('no file may be as long as the backup', async () => {
  const workspace = await newWorkspace(library);
  const before = await photograph(workspace);
  const result = await runLimited(workspace, '-f 512', ['full']);
  await expectFailure(workspace, before, result, {
    codes: ['IO', 'DISK_FULL'],
    names: [workspace.backups],
    secrets: [server.password],
  });
});

/**
 * With very few handles Node.js itself cannot load the program; that must not look like success
 * either. What we open ourselves is in handles.test.ts.
 */
test('out of file handles', async () => {
  const workspace = await newWorkspace(small);
  for (let handles = 44; handles < 60; handles += 1) {
    const before = await photograph(workspace);
    const result = await runLimited(workspace, `-n ${handles}`, ['full'], { BACKUP_THREADS: '16' });
    await expectNoSecrets(workspace, result, [server.password]);
    if (result.code === 0) break;
    await expectNothingNew(workspace, before);
    const code = /^error (\w+):/m.exec(result.stderr)?.[1] as ErrorCode | undefined;
    if (code === undefined) continue;
    expect(result.code, `${handles}: ${result.stderr}`).toBe(ERROR_TABLE[code].exitCode);
    expect(code, `${handles}: ${result.stderr}`).toBe('FILE_LIMIT');
  }
  const enough = await workspace.run(['full']);
  expect(enough.code, enough.stderr).toBe(0);
});
