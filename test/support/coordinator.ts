import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  startServer,
  type Flavour,
  type PrivateServer,
  type ServerAddress,
} from '../../sandbox/index.js';

/**
 * One MySQL and one MariaDB for a whole test run, started when the first test asks for it, so that
 * a run of pure tests starts none. The process of the run owns the servers; test workers ask it
 * over a Unix socket whose path is in the environment: they send a flavour and a line break, and
 * get one line of JSON.
 */
const SOCKET_VARIABLE = 'RESHELVE_TEST_COORDINATOR';

/** Includes fetching the servers on a fresh machine. */
const START_TIMEOUT_MS = 15 * 60_000;

type Answer = { readonly server: ServerAddress } | { readonly failure: string };

export interface Coordinator {
  /** Ends the servers that were started. */
  close(): Promise<void>;
}

export async function openCoordinator(): Promise<Coordinator> {
  const folder = await mkdtemp(join(tmpdir(), 'reshelve-test-'));
  const path = join(folder, 'coordinator');
  const running = new Map<Flavour, Promise<PrivateServer>>();
  const startOnce = (flavour: Flavour): Promise<PrivateServer> => {
    const server = running.get(flavour) ?? startServer({ flavour, log: tell });
    running.set(flavour, server);
    return server;
  };
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => {
      void answer(socket, chunk.toString('utf8').trim(), startOnce);
    });
  });
  await listening(listener, path);
  process.env[SOCKET_VARIABLE] = path;
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      const servers = await Promise.allSettled(running.values());
      for (const one of servers) if (one.status === 'fulfilled') await one.value.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answer(
  socket: Socket,
  asked: string,
  startOnce: (flavour: Flavour) => Promise<PrivateServer>,
): Promise<void> {
  let reply: Answer;
  try {
    if (asked !== 'mysql' && asked !== 'mariadb') throw new Error(`unknown flavour ${asked}`);
    reply = { server: addressOf(await startOnce(asked)) };
  } catch (error) {
    reply = { failure: error instanceof Error ? error.message : String(error) };
  }
  socket.end(`${JSON.stringify(reply)}\n`);
}

/** Only what a client needs, as plain data. */
function addressOf(server: PrivateServer): ServerAddress {
  const { flavour, version, host, port, socketPath, user, password } = server;
  return { flavour, version, host, port, socketPath, user, password };
}

/**
 * Asks the coordinator of this test run for its server.
 *
 * @throws Error where the test does not run under the global set-up, or the server did not start.
 */
export async function askCoordinator(flavour: Flavour): Promise<ServerAddress> {
  const path = process.env[SOCKET_VARIABLE];
  if (path === undefined) {
    throw new Error('expected the global set-up of the tests to have run; see vitest.config.ts');
  }
  const text = await exchange(path, `${flavour}\n`);
  const reply = JSON.parse(text) as Answer;
  if ('failure' in reply) throw new Error(`no shared ${flavour} server: ${reply.failure}`);
  return reply.server;
}

function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(START_TIMEOUT_MS, () => {
      socket.destroy(new Error('the coordinator of the test servers did not answer'));
    });
    socket.on('data', (chunk) => (text += chunk.toString('utf8')));
    socket.once('error', reject);
    socket.once('end', () => {
      resolve(text);
    });
    socket.write(line);
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function tell(line: string): void {
  process.stderr.write(`sandbox: ${line}\n`);
}
