import { createServer } from 'node:net';
import { SandboxError } from './errors.js';

/**
 * Below the kernel's range for outgoing connections (32768 and up on Linux), so that no client's
 * own port can take the place of a server that is being restarted.
 */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 50;

/** A port of 127.0.0.1 that nobody listens on now. Another process may still be quicker. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await canListen(port)) return port;
  }
  throw new SandboxError(`expected a free port between ${PORT_MIN} and ${PORT_MAX}, found none`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
