/** Small disks and few handles for the command line. */
import { execFileSync, spawn } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CliResult, Workspace } from '../../support/cli.js';

const PROGRAM = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'src/cli/main.js');

/** Why small disks cannot be had here; undefined where they can. */
export const NO_MOUNT =
  process.platform === 'linux' && process.getuid?.() === 0
    ? undefined
    : 'only root on Linux may mount a small disk';

export interface SmallDisk {
  /** Changes the size. */
  resize(bytes: number): void;
  /** Takes away what is free but this many bytes, at once. */
  shrinkTo(rest: number): void;
  makeReadOnly(): void;
  makeWritable(): void;
  /** Leaves exactly this many bytes (a multiple of 4,096) free. */
  fillExcept(bytes: number): Promise<void>;
  freeBytes(): number;
}

/** Mounts a disk of its own at the workspace's BACKUP_DIR until the test ends. */
export async function mountBackups(workspace: Workspace, bytes: number): Promise<SmallDisk> {
  const { backups } = workspace;
  await mkdir(backups, { mode: 0o700 });
  const disk = mountDisk(backups, bytes);
  onTestFinished(() => {
    disk.unmount();
  });
  return disk;
}

/** Mounts a disk of its own at a folder that exists; the caller takes it away. */
export function mountDisk(folder: string, bytes: number): SmallDisk & { unmount(): void } {
  mount(['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder]);
  const resize = (size: number): void => {
    mount(['-o', `remount,size=${size}`, folder]);
  };
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };
  return {
    resize,
    shrinkTo: (rest) => {
      const { blocks, bavail, bsize } = statfsSync(folder);
      resize((blocks - bavail) * bsize + rest);
    },
    makeReadOnly: () => {
      mount(['-o', 'remount,ro', folder]);
    },
    makeWritable: () => {
      mount(['-o', 'remount,rw', folder]);
    },
    fillExcept: async (rest) => {
      await writeFile(join(folder, 'filler'), '');
      await writeFile(join(folder, 'filler'), Buffer.alloc(freeBytes() - rest, 1));
    },
    freeBytes,
    unmount: () => {
      execFileSync('umount', ['--lazy', folder]);
    },
  };
}

function mount(args: readonly string[]): void {
  execFileSync('mount', args);
}

/** Runs the command line under a limit of the shell, e.g. `-n 24`. */
export async function runLimited(
  workspace: Workspace,
  limit: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const script = `ulimit ${limit}; exec "$0" "$@"`;
  const child = spawn('bash', ['-c', script, process.execPath, PROGRAM, ...args], {
    cwd: workspace.directory,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => {
      done({ code, signal, stdout, stderr });
    });
  });
}
