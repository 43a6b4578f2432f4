/**
 * `BACKUP_ENGINE=mysqldump`: the user's own mysqldump writes the backup, with the flags of the guide.
 * It counts only if the program ended with 0 and by itself, its last line says that the dump is
 * complete, and the file reads back.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { fileError } from '../../file-errors.js';
import type { ServerConfiguration } from '../../config/configuration.js';
import { ReshelveError } from '../../errors.js';
import { quoteIdentifier } from '../../sql/quote.js';
import type { BackupFile } from '../backup-file.js';
import { hashFile } from '../catalog-rebuild.js';
import type { Run, RunFields } from '../run.js';

const TRAILER = '-- Dump completed';
const TRAILER_BYTES = 200;
const STDERR_BYTES_KEPT = 4000;

const FLAGS = ['--single-transaction', '--routines', '--triggers', '--events', '--hex-blob'];

export async function writeWithMysqldump(
  run: Run,
  file: BackupFile,
): Promise<{ fields: RunFields; notes: readonly string[] }> {
  const { configuration, signal } = run.context;
  await withOptionFile(configuration.server, async (optionFile) => {
    const { mysqldumpPath, compressionLevel } = configuration.backup;
    const args = [`--defaults-file=${optionFile}`, ...FLAGS, '--', configuration.databaseName];
    const child = spawn(mysqldumpPath, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
    const ended = waitForEnd(child, mysqldumpPath);
    const errors = collect(child.stderr);
    // Both must succeed: the file can be complete while the program that feeds it has failed.
    const [exit] = await Promise.all([
      ended,
      writeCompressed(child.stdout, file.partialPath, compressionLevel).catch((error: unknown) => {
        child.kill();
        throw error;
      }),
    ]);
    if (exit !== 'exit code 0') {
      const said = await errors;
      const hint = missingPrivilegeHint(said, configuration.server.user);
      throw new ReshelveError(
        'EXTERNAL_TOOL',
        `${mysqldumpPath} ended with ${exit}: ${said}`,
        hint === undefined ? {} : { hint },
      );
    }
  });
  await assertComplete(file.partialPath, configuration.backup.mysqldumpPath);
  return {
    fields: { sha256: await hashFile(file.partialPath), consistency: 'mysqldump' },
    notes: ['written by mysqldump: no index, no content digests and no single-table restore'],
  };
}

/** Oracle’s program from 8.0.32 on locks the whole server, which the guide’s grants do not allow. */
function missingPrivilegeHint(said: string, user: string): string | undefined {
  const [, names] =
    /you need \(at least one of\) the ([A-Z_, ]+?(?: or [A-Z_]+)?) privilege/u.exec(said) ?? [];
  const [privilege] = names?.split(/, | or /u) ?? [];
  if (privilege === undefined) return undefined;
  return `Run as an administrator: GRANT ${privilege} ON *.* TO ${quoteIdentifier(user)}@…; or remove BACKUP_ENGINE: the built-in engine does without.`;
}

/** The password goes in a file that only this user can read, never in an argument. */
async function withOptionFile(
  server: ServerConfiguration,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'reshelve-'));
  try {
    const path = join(directory, 'client.cnf');
    await writeFile(path, `${optionLines(server).join('\n')}\n`, { mode: 0o600 });
    await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Oracle's programs know `ssl-mode`, MariaDB's `ssl` and `ssl-verify-server-cert`; each passes over what is
 * the other's. A socket never leaves the machine.
 */
function tlsLines({ tls, socketPath }: ServerConfiguration): string[] {
  if (socketPath !== undefined) return [];
  const isChecked = tls.mode === 'verify-ca' || tls.mode === 'verify-identity';
  const files = { ca: tls.caFile, cert: tls.certificateFile, key: tls.keyFile };
  return [
    `loose-ssl-mode=${tls.mode.replace('-', '_').toUpperCase()}`,
    ...(tls.mode === 'disabled' ? ['loose-skip-ssl'] : []),
    ...(tls.mode === 'required' || isChecked ? ['loose-ssl'] : []),
    ...(isChecked ? ['loose-ssl-verify-server-cert'] : []),
    ...Object.entries(files).flatMap(([name, file]) =>
      file === undefined ? [] : [`ssl-${name}=${quoteOption(file)}`],
    ),
  ];
}

/** How the program connects, as an option file says it. */
export function optionLines(server: ServerConfiguration): string[] {
  return [
    '[client]',
    ...(server.socketPath === undefined
      ? [`host=${quoteOption(server.host)}`, `port=${server.port}`, 'protocol=tcp']
      : [`socket=${quoteOption(server.socketPath)}`]),
    `user=${quoteOption(server.user)}`,
    `password=${quoteOption(server.password.reveal())}`,
    ...tlsLines(server),
  ];
}

/** Option files know backslash escapes inside quotes (MySQL Reference Manual, "Using Option Files"). */
function quoteOption(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

async function waitForEnd(child: ReturnType<typeof spawn>, program: string): Promise<string> {
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    return killedBy === null ? `exit code ${code ?? -1}` : `signal ${killedBy}`;
  } catch (cause) {
    if ((cause as Error).name === 'AbortError')
      throw new ReshelveError('INTERRUPTED', 'the run was stopped');
    const { code } = cause as NodeJS.ErrnoException;
    throw new ReshelveError('EXTERNAL_TOOL', `cannot run ${program} (${code ?? 'error'})`, {
      cause,
      hint: 'Install mysqldump, name it in BACKUP_MYSQLDUMP_PATH, or remove BACKUP_ENGINE.',
    });
  }
}

async function collect(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text = (text + String(chunk)).slice(-STDERR_BYTES_KEPT);
  }
  return text.trim();
}

async function writeCompressed(input: Readable, path: string, level: number): Promise<void> {
  try {
    const handle = await open(path, 'wx', 0o600);
    await pipeline(input, createGzip({ level }), handle.createWriteStream({ flush: true }));
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

/** Inflates the whole file, which checks gzip's own checksum, and looks for the last line. */
async function assertComplete(path: string, program: string): Promise<void> {
  let tail = '';
  try {
    for await (const chunk of createReadStream(path).pipe(createGunzip())) {
      tail = (tail + (chunk as Buffer).toString('latin1')).slice(-TRAILER_BYTES);
    }
  } catch (cause) {
    throw new ReshelveError('DAMAGED', `${path} does not read back`, { cause });
  }
  if (!tail.includes(TRAILER)) {
    throw new ReshelveError(
      'EXTERNAL_TOOL',
      `${program} ended without its last line: expected "-- Dump completed" but found none`,
    );
  }
}
