import { join } from 'node:path';
import { cached } from './cache.js';
import { SandboxError } from './errors.js';
import { runChecked, silent, type CommandLine, type Log } from './run.js';

const VERSION = '7.0.4';
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/**
 * The process manager that users run the scheduler under. It is no dependency of the package: npm
 * fetches this one version into the cache.
 *
 * @param home its PM2_HOME: everything that it writes, and the sockets of its daemon
 * @throws SandboxError where it is not to be had.
 */
export async function ensurePm2(home: string, log: Log = silent): Promise<CommandLine> {
  const folder = await cached(`pm2-${VERSION}`, log, async (target) => {
    log(`fetching pm2 ${VERSION} with npm`);
    const options = ['--no-audit', '--no-fund', '--ignore-scripts'];
    const args = ['install', '--prefix', target, ...options, `pm2@${VERSION}`];
    await runChecked('npm', args, { timeoutMs: INSTALL_TIMEOUT_MS, cwd: target }).catch(
      (cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new SandboxError(`could not get pm2 ${VERSION} with npm: ${reason}`, { cause });
      },
    );
  });
  return {
    command: process.execPath,
    argsPrefix: [join(folder, 'node_modules/pm2/bin/pm2')],
    env: { PATH: process.env['PATH'], HOME: home, PM2_HOME: home, NO_COLOR: '1' },
  };
}
