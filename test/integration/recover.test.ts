/** The full recovery as its user meets it: what it prints, what it leaves, and what it refuses. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { BOOKS, changeEverything, createRecoverable } from '../support/recoverable.js';
import type { TestDatabase } from '../support/servers.js';
import { sharedServer } from '../support/servers.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;
  let file: string;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createRecoverable(server);
    workspace = await createWorkspace(server, library.name, { BACKUP_THREADS: '2' });
    expect((await workspace.run(['full'])).code).toBe(0);
    const [name = ''] = await workspace.finished();
    file = join('backups', name);
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  test('prints what the guide shows, line by line, and brings the old state back', async () => {
    const before = await captureState(server, library.name);
    await changeEverything(server, library.name);
    const result = await workspace.run(['recover', '--yes']);
    expect(result.code, result.stderr + result.stdout).toBe(0);
    expect(compareStates(before, await captureState(server, library.name))).toEqual([]);
    const emergency = 'backups/emergency/pre_restore_.*\\.sql\\.gz';
    const expected = [
      '=== FULL DATABASE RECOVERY ===',
      `Target backup: ${file}`,
      `Database: ${library.name}`,
      '',
      'Step 1: Creating emergency backup of current database...',
      `✓ Emergency backup saved: ${emergency}`,
      '',
      'Step 2: Verifying backup file integrity...',
      '✓ Backup file integrity verified',
      '',
      'Step 3: Preparing database for restore...',
      '✓ Database prepared',
      '',
      'Step 4: Restoring database from backup...',
      'This may take several minutes for large databases...',
      '',
      '✓ Restore completed in \\d+\\.\\d\\d seconds',
      '',
      'Step 5: Verifying database restoration...',
      '✓ Database verification results:',
      '================================',
      'TableName      RowCount',
      `book           ${BOOKS}`,
      'empty_shelf    0',
      'loan           290',
      'member         100',
      'note           50',
      '',
      '=== RECOVERY SUCCESSFUL ===',
      `Restored from: ${file.replace('backups/', '')}`,
      'Recovery time: \\d+\\.\\d\\d seconds',
      `Emergency backup available at: ${emergency}`,
      '',
    ];
    const lines = result.stdout.split('\n');
    for (const [at, line] of expected.entries()) expect(lines[at]).toMatch(new RegExp(`^${line}$`));
    expect(lines).toHaveLength(expected.length);
    const [entry] = (await workspace.catalog()).slice(-1);
    expect(entry).toMatchObject({ type: 'recover', status: 'success' });
    expect((entry as unknown as { emergencyFile: string }).emergencyFile).toMatch(/^emergency\//);
  });
});
