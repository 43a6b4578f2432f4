/** What must hold after a run that failed, whatever the reason. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.js';
import { ERROR_TABLE } from '../../../src/errors.js';
import type { CatalogLine, CliResult, Workspace } from '../../support/cli.js';

/** Finished backups by relative path with their SHA-256, and how long the catalog was. */
export interface Photograph {
  readonly files: ReadonlyMap<string, string>;
  readonly entries: number;
}

const FINISHED = /^[^.].*\.sql\.gz$/;
/** `.xa` may follow. */
const PARTIAL = /\.partial(?:\.\w+)?$/;

export async function photograph(workspace: Workspace): Promise<Photograph> {
  const files = new Map<string, string>();
  for (const name of (await namesIn(workspace.backups)).filter((path) =>
    FINISHED.test(base(path)),
  )) {
    const bytes = await readFile(join(workspace.backups, name));
    files.set(name, createHash('sha256').update(bytes).digest('hex'));
  }
  return { files, entries: (await entriesOf(workspace)).length };
}

export interface ExpectedFailure {
  /** One of these codes; its exit code must be the process's. */
  readonly codes: readonly ErrorCode[];
  /** What the message must name. */
  readonly names: readonly (string | RegExp)[];
  /** What the next step must name, where more than its being there matters. */
  readonly next?: RegExp;
  /** False where the directory cannot be written, so that the failure is only reported. */
  readonly recorded?: boolean;
  /** Passwords that must not be anywhere but in .env. */
  readonly secrets?: readonly string[];
}

/** Checks exit code, message, next step, catalog, files and secrets; gives the code that was met. */
export async function expectFailure(
  workspace: Workspace,
  before: Photograph,
  result: CliResult,
  expected: ExpectedFailure,
): Promise<ErrorCode> {
  const message = /^error (\w+): (.*)$/m.exec(result.stderr);
  const code = (message?.[1] ?? 'no error line') as ErrorCode;
  expect(expected.codes, result.stderr).toContain(code);
  expect(result.code, result.stderr).toBe(ERROR_TABLE[code].exitCode);
  for (const name of expected.names) expect(message?.[2]).toMatch(name);
  expect(result.stderr).toMatch(/^next: \S.{10,}$/m);
  if (expected.next !== undefined) expect(result.stderr).toMatch(expected.next);
  await expectNothingNew(workspace, before);
  if (expected.recorded ?? true) {
    const last = (await entriesOf(workspace)).at(-1);
    expect(last).toMatchObject({ status: 'failed', file: null, error: { code } });
    expect(last?.error?.message).not.toBe('');
    expect(await entriesOf(workspace)).toHaveLength(before.entries + 1);
  }
  await expectNoSecrets(workspace, result, expected.secrets ?? []);
  return code;
}

/** No backup more than before, each as it was, and nothing half done. */
export async function expectNothingNew(workspace: Workspace, before: Photograph): Promise<void> {
  const { files } = await photograph(workspace);
  expect(Object.fromEntries(files)).toEqual(Object.fromEntries(before.files));
  expect((await namesIn(workspace.backups)).filter((name) => PARTIAL.test(name))).toEqual([]);
}

export async function expectNoSecrets(
  workspace: Workspace,
  result: CliResult,
  secrets: readonly string[],
): Promise<void> {
  const texts = [result.stdout, result.stderr];
  for (const name of await namesIn(workspace.directory)) {
    if (name !== '.env') texts.push(await readFile(join(workspace.directory, name), 'latin1'));
  }
  for (const secret of secrets) expect(texts.some((text) => text.includes(secret))).toBe(false);
}

/** What these tests read of an entry beyond what all tests do. */
export interface Entry extends CatalogLine {
  readonly rows?: number;
  readonly database?: string;
}

export async function entriesOf(workspace: Workspace): Promise<Entry[]> {
  const path = join(workspace.backups, 'backup_logs.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Entry[];
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** Relative paths of all files below; none where there is no such directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export interface Watch {
  /** Everything that the process and those below it showed as command lines. */
  readonly lines: ReadonlySet<string>;
  stop(): void;
}

/** Looks at the command lines of a process and its descendants while they run (Linux). */
export function watchCommandLines(pid: number): Watch {
  const lines = new Set<string>();
  const look = (): void => {
    for (const one of [pid, ...descendants(pid)]) {
      const line = readProc(`/proc/${one}/cmdline`);
      if (line !== '') lines.add(line.replaceAll('\0', ' '));
    }
  };
  look();
  const timer = setInterval(look, 20);
  return {
    lines,
    stop: () => {
      clearInterval(timer);
    },
  };
}

function descendants(pid: number): number[] {
  const children = readProc(`/proc/${pid}/task/${pid}/children`).trim();
  const pids = children === '' ? [] : children.split(' ').map(Number);
  return pids.flatMap((child) => [child, ...descendants(child)]);
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
