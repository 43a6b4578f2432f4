import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { SandboxError } from './errors.js';
import { fetchPackages } from './installation.js';
import { onPath, silent, type CommandLine, type Log } from './run.js';
import { openUnpacked, unpackedCommand } from './unpacked.js';

/** The Debian package of each tool that the bench compares with, or that a test judges by. */
const PACKAGE_OF = {
  gzip: 'gzip',
  igzip: 'isal',
  mydumper: 'mydumper',
  myloader: 'mydumper',
  pigz: 'pigz',
  zstd: 'zstd',
} as const;

export type Tool = keyof typeof PACKAGE_OF;

/**
 * Finds a tool on PATH, or fetches it from the machine's own Debian release.
 *
 * @throws SandboxError where it is neither there nor to be had.
 */
export async function ensureTool(name: Tool, log: Log = silent): Promise<CommandLine> {
  const installed = onPath(name);
  if (installed !== undefined) {
    return { command: installed, argsPrefix: [], env: { ...process.env } };
  }
  const packageName = PACKAGE_OF[name];
  const tell: Log = (line) => {
    log(`${packageName}: ${line}`);
  };
  const root = await fetchPackages(packageName, 'own-release', [packageName], tell).catch(
    (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SandboxError(`could not get ${name}: ${reason}. Install ${packageName}.`, {
        cause,
      });
    },
  );
  const tree = await openUnpacked(root);
  const tool = unpackedCommand(tree, name);
  const plugins = await mariadbClientPlugins(root);
  if (plugins === undefined) return tool;
  return { ...tool, env: { ...tool.env, MARIADB_PLUGIN_DIR: plugins } };
}

/** MariaDB's client library loads caching_sha2_password, MySQL's default, from this folder. */
async function mariadbClientPlugins(root: string): Promise<string | undefined> {
  const libraries = join(root, 'usr/lib');
  const entries = existsSync(libraries) ? await readdir(libraries) : [];
  return entries
    .map((entry) => join(libraries, entry, 'libmariadb3/plugin'))
    .find((folder) => existsSync(folder));
}
