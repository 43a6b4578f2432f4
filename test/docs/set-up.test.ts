/**
 * The README's set-up, done as it says: its users with just its grants, its .env file, its scripts,
 * its commands, and the restore without us. The restored library is compared with the first one.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadLibrary } from '../../demo/library.js';
import { differences, readState, type DatabaseState } from '../../demo/state.js';
import { runClient, type PrivateServer } from '../../sandbox/index.js';
import { connectTo, privateServer, query } from '../support/servers.js';
import { EXAMPLE_FILE, onlyBlock, readDocument } from './readme.js';

const README = readDocument('README.md');
const DIST = resolve(process.env['RESHELVE_DIST'] ?? 'dist');
const SIZE = { staff: 12, books: 300, members: 400, loans: 900, reservations: 150 };

let server: PrivateServer;
let application: string;
let before: DatabaseState;

beforeAll(async () => {
  server = await privateServer('mysql', { options: ['--event-scheduler=OFF'] });
  await query(server, 'CREATE DATABASE LibraryDB CHARACTER SET utf8mb4');
  const connection = await connectTo(server, 'LibraryDB');
  await loadLibrary({ execute: (sql) => connection.query(sql), size: SIZE });
  await connection.end();
  before = await look('LibraryDB');
  await query(server, onlyBlock(README, 'sql'));
  application = await createApplication();
});

afterAll(async () => {
  await rm(application, { recursive: true, force: true });
  await server.stop();
});

/** A host application: the README's .env file (but for the port) and scripts, the package installed. */
async function createApplication(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-app-'));
  const settings = onlyBlock(README, 'env').replace('DB_PORT=3306', `DB_PORT=${server.port}`);
  await writeFile(join(folder, '.env'), settings, { mode: 0o600 });
  await writeFile(join(folder, 'package.json'), onlyBlock(README, 'json'));
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  const program = join(folder, 'node_modules/.bin/reshelve');
  await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${DIST}/src/cli/main.js "$@"\n`, {
    mode: 0o755,
  });
  return folder;
}

interface Ending {
  readonly code: number;
  readonly output: string;
}

/** Runs a command line of the README with a shell in the application's folder. */
function shell(line: string, environment: Record<string, string> = {}): Promise<Ending> {
  const isSetting = /^(?:DB|BACKUP|VERIFY|npm)_/;
  const inherited = Object.entries(process.env).filter(([name]) => !isSetting.test(name));
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1', ...environment };
  return new Promise((done) => {
    execFile('sh', ['-c', line], { cwd: application, env }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
      done({ code, output: stdout + stderr });
    });
  });
}

async function look(database: string): Promise<DatabaseState> {
  const connection = await connectTo(server, database);
  try {
    return await readState(connection);
  } finally {
    await connection.end();
  }
}

async function newestBackup(): Promise<string> {
  const names = await readdir(join(application, 'backups'));
  const newest = names
    .filter((name) => name.endsWith('.sql.gz'))
    .sort()
    .at(-1);
  if (newest === undefined) throw new Error('expected a backup but found none');
  return `backups/${newest}`;
}

/** The line must be in the README, so that this test and its reader do the same. */
async function fromReadme(line: string): Promise<string> {
  expect(README).toContain(line);
  return line.includes(EXAMPLE_FILE) ? line.replace(EXAMPLE_FILE, await newestBackup()) : line;
}

/** Shows what the command said where it did not do what was expected. */
function assertDone({ code, output }: Ending, said: string): void {
  expect(code, output).toBe(0);
  expect(output).toContain(said);
}

test('step 5: doctor finds what a backup needs', async () => {
  const doctor = await shell(await fromReadme('npx reshelve doctor'));
  expect(doctor.output).toContain('LibraryDB');
  // Restoring is another user's business, of which doctor warns (3).
  expect([0, 3]).toContain(doctor.code);
});

test('step 5: the users with just these grants back up and verify', async () => {
  const full = await shell(await fromReadme('npm run backup:full'));
  assertDone(full, '✓ Backup saved');
  const verify = await shell(await fromReadme('npm run backup:verify'));
  assertDone(verify, 'PASSED');
});

test('step 7: the users with just these grants go on with an incremental', async () => {
  const full = await newestBackup();
  await query(server, "UPDATE MEMBER SET note = 'after the full backup' LIMIT 5", 'LibraryDB');
  const changed = await look('LibraryDB');
  assertDone(await shell(await fromReadme('npm run backup:incremental')), '✓');
  assertDone(await shell('npm run backup:verify'), 'PASSED');
  const password = { DB_PASS: 'choose-a-third' };
  const environment = { ...password, DB_USER: 'restore_user' };
  const back = await shell(`npx reshelve recover ${full} --yes`, environment);
  assertDone(back, '=== RECOVERY SUCCESSFUL ===');
  expect(differences(before, await look('LibraryDB'))).toEqual([]);
  assertDone(await shell('npx reshelve recover --yes', environment), '=== RECOVERY SUCCESSFUL ===');
  expect(differences(changed, await look('LibraryDB'))).toEqual([]);
  assertDone(await shell(`npx reshelve recover ${full} --yes`, environment), 'SUCCESSFUL');
});

test('npm passes a file on to the command', async () => {
  const file = await newestBackup();
  const verify = await shell(`npm run backup:verify ${file}`);
  assertDone(verify, file);
});

test('recovery in a hurry: after an accident everything is as before', async () => {
  await query(
    server,
    'SET foreign_key_checks = 0; DROP TABLE LOAN; UPDATE MEMBER SET note = NULL',
    'LibraryDB',
  );
  expect(differences(before, await look('LibraryDB'))).not.toEqual([]);
  const list = await shell(await fromReadme('npx reshelve list'));
  expect(list).toMatchObject({ code: 0 });
  const password = { DB_PASS: 'choose-a-third' };
  const recover = await fromReadme(`DB_USER=restore_user npx reshelve recover ${EXAMPLE_FILE}`);
  const plan = await fromReadme(`npx reshelve recover ${EXAMPLE_FILE} --dry-run`);
  assertDone(await shell(`DB_USER=restore_user ${plan}`, password), 'Nothing was changed');
  expect((await shell(plan)).output).toContain('missing');
  // Nobody is there to type the database's name.
  expect((await shell(recover, password)).code).toBe(2);
  const recovered = await shell(`${recover} --yes`, password);
  // 3: the emergency copy cannot hold the view whose table was dropped, and says so.
  expect(recovered.code, recovered.output).toBe(3);
  expect(recovered.output).toContain('=== RECOVERY SUCCESSFUL ===');
  expect(recovered.output).toContain('BROKEN_VIEW');
  expect(differences(before, await look('LibraryDB'))).toEqual([]);
});

test('without Reshelve: the client alone restores it', async () => {
  const line = `gunzip -c ${EXAMPLE_FILE} | mysql --binary-mode LibraryDB`;
  expect(README).toContain(line);
  await query(server, 'CREATE DATABASE PlainDB CHARACTER SET utf8mb4');
  const input = gunzipSync(await readFile(join(application, await newestBackup())));
  const loaded = await runClient(server, 'mysql', ['--binary-mode'], {
    input,
    database: 'PlainDB',
  });
  expect(loaded).toMatchObject({ code: 0, stderr: '' });
  const plain = await look('PlainDB');
  expect(plain.tables).toEqual(before.tables);
  expect([...plain.definitions.keys()]).toEqual([...before.definitions.keys()]);
});
