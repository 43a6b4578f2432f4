/**
 * Runs the commands that a message names, to the letter and as a person would: in a shell on a terminal
 * where the password is typed, with the server's own client as `mysql` on PATH.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientTool, ensureMariadb, ensureMysql } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';

const TIMEOUT_MS = 120_000;

/** The lines after `… with plain tools:` in the message of exit code 8. */
export function commandsOf(message: string): string[] {
  const [, rest = ''] = message.split('with plain tools:\n');
  return rest
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Throws with what the terminal showed if a command fails. */
export async function runByHand(
  server: ServerAddress,
  commands: readonly string[],
  folder: string,
): Promise<void> {
  const tools = await mkdtemp(join(tmpdir(), 'reshelve-tools-'));
  try {
    await putClient(server, join(tools, 'mysql'));
    for (const command of commands) await onTerminal(command, server.password, tools, folder);
  } finally {
    await rm(tools, { recursive: true, force: true });
  }
}

async function putClient({ flavour }: ServerAddress, path: string): Promise<void> {
  const { command, argsPrefix, env } =
    flavour === 'mariadb'
      ? clientTool(await ensureMariadb(), 'mariadb')
      : clientTool(await ensureMysql(), 'mysql');
  const library = env['LD_LIBRARY_PATH'];
  const lines = [
    '#!/bin/sh',
    ...(library === undefined ? [] : [`export LD_LIBRARY_PATH='${library}'`]),
    `exec ${[command, ...argsPrefix].map((word) => `'${word}'`).join(' ')} --no-defaults "$@"`,
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  await chmod(path, 0o755);
}

async function onTerminal(
  command: string,
  password: string,
  tools: string,
  folder: string,
): Promise<void> {
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}`, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let shown = '';
  let isTyped = false;
  const see = (chunk: Buffer): void => {
    shown += chunk.toString('utf8');
    if (isTyped || !/password:/i.test(shown)) return;
    isTyped = true;
    child.stdin.write(`${password}\n`);
  };
  child.stdout.on('data', see);
  child.stderr.on('data', see);
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  child.stdin.destroy();
  if (code !== 0) throw new Error(`${command}\nended with ${code ?? 'a signal'}: ${shown}`);
}
