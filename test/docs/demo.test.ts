/** `npm run demo` after its bootstrap: it ends well, and a Ctrl-C leaves nothing behind. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const DEMO = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'demo/main.js');

interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the demo; `onOutput` sees all output so far, each time there is more. */
function runDemo(onOutput: (output: string, interrupt: () => void) => void): Promise<Ending> {
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const hear = (text: string): void => {
    output += text;
    onOutput(output, () => child.kill('SIGINT'));
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => {
      done({ code, output });
    });
  });
}

/** The demo names its directory and its server's address; both must be gone. */
async function assertNothingLeft(output: string): Promise<void> {
  const [, port] = /listens on 127\.0\.0\.1:(\d+)/.exec(output) ?? [];
  expect(await isListening(Number(port))).toBe(false);
  const [directory] = /\/\S*reshelve-demo-\w+/.exec(output) ?? [];
  if (directory !== undefined) expect(existsSync(directory)).toBe(false);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => {
      done(false);
    });
  });
}

test('every table is as before', async () => {
  const { code, output } = await runDemo(() => undefined);
  expect(output).toContain('✓ Every table and definition is as before');
  expect(output).not.toContain('OTHER');
  expect(code).toBe(0);
  for (const verb of ['full', 'incremental', 'verify', 'events --limit 4']) {
    expect(output).toContain(`$ reshelve ${verb}\n`);
  }
  expect(output).toMatch(/^\$ reshelve recover --before-gtid \S+ --yes$/m);
  await assertNothingLeft(output);
});

test.each(['[2] The library', 'Restoring backup to test database', '[10] The recovery'])(
  'a Ctrl-C at “%s” ends it with 130 and leaves nothing behind',
  async (moment) => {
    let interrupted = false;
    const { code, output } = await runDemo((soFar, interrupt) => {
      if (interrupted || !soFar.includes(moment)) return;
      interrupted = true;
      interrupt();
      // Under npm the same Ctrl-C arrives a second time.
      interrupt();
    });
    expect(interrupted).toBe(true);
    expect({ code, output }).toMatchObject({ code: 130 });
    await assertNothingLeft(output);
  },
);
