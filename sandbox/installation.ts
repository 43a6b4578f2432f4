import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackPackages, type Suite } from './apt.js';
import { cached } from './cache.js';
import { SandboxError } from './errors.js';
import { onPath, run, silent, type CommandLine, type Log } from './run.js';
import { openUnpacked, unpackedCommand, type UnpackedTree } from './unpacked.js';

export type Flavour = 'mysql' | 'mariadb';

/** A server's programs on this machine, installed or fetched. */
export interface Installation {
  readonly flavour: Flavour;
  /** As the server program tells it, e.g. `9.7.4` or `10.11.19`. */
  readonly version: string;
  readonly server: CommandLine;
  /** The folder that the server calls `basedir`; undefined where its built-in one is right. */
  readonly baseDirectory: string | undefined;
  /** Set where it was fetched by us. */
  readonly tree: UnpackedTree | undefined;
  /** Tells this installation from every other one, for names of cached folders. */
  readonly identity: string;
}

export type MysqlInstallation = Installation & { readonly flavour: 'mysql' };
export type MariadbInstallation = Installation & { readonly flavour: 'mariadb' };

interface Recipe {
  readonly serverName: string;
  readonly suite: Suite;
  readonly packages: readonly string[];
  readonly toInstall: string;
}

const RECIPES: Readonly<Record<Flavour, Recipe>> = {
  mysql: {
    serverName: 'mysqld',
    suite: 'sid',
    packages: ['mysql-server-core', 'mysql-client-core', 'tzdata'],
    toInstall: "Oracle's MySQL server 9.x so that `mysqld` is on PATH (https://dev.mysql.com/)",
  },
  mariadb: {
    serverName: 'mariadbd',
    suite: 'own-release',
    packages: ['mariadb-server-core', 'mariadb-client-core', 'mariadb-client', 'tzdata'],
    toInstall: 'MariaDB so that `mariadbd` is on PATH (https://mariadb.org/download/)',
  },
};

const found = new Map<Flavour, Promise<Installation>>();

/** Finds `mysqld` (Oracle's, 8.0 or newer) on PATH, or fetches it. Asked twice, works once. */
export async function ensureMysql(log: Log = silent): Promise<MysqlInstallation> {
  return (await ensure('mysql', log)) as MysqlInstallation;
}

/** Finds `mariadbd` on PATH, or fetches it. Asked twice, works once. */
export async function ensureMariadb(log: Log = silent): Promise<MariadbInstallation> {
  return (await ensure('mariadb', log)) as MariadbInstallation;
}

export async function ensure(flavour: Flavour, log: Log): Promise<Installation> {
  let pending = found.get(flavour);
  if (pending === undefined) {
    pending = findInstalled(flavour).then((one) => one ?? fetchInstallation(flavour, log));
    found.set(flavour, pending);
    pending.catch(() => found.delete(flavour));
  }
  return pending;
}

async function findInstalled(flavour: Flavour): Promise<Installation | undefined> {
  const program = onPath(RECIPES[flavour].serverName);
  if (program === undefined) return undefined;
  const server: CommandLine = { command: program, argsPrefix: [], env: { ...process.env } };
  const version = await askVersion(server, flavour);
  if (version === undefined) return undefined;
  return {
    flavour,
    version,
    server,
    baseDirectory: undefined,
    tree: undefined,
    identity: identityOf(flavour, version, program),
  };
}

async function fetchInstallation(flavour: Flavour, log: Log): Promise<Installation> {
  const recipe = RECIPES[flavour];
  const tell: Log = (line) => {
    log(`${flavour}: ${line}`);
  };
  const root = await fetchPackages(flavour, recipe.suite, recipe.packages, tell).catch(
    (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `could not get a ${flavour} server: ${reason}. Install ${recipe.toInstall}.`;
      throw new SandboxError(message, { cause });
    },
  );
  const tree = await openUnpacked(root);
  const server = unpackedCommand(tree, recipe.serverName);
  const version = await askVersion(server, flavour);
  if (version === undefined) {
    throw new SandboxError(`expected a ${flavour} server in ${root} but it does not run`);
  }
  const baseDirectory = join(root, 'usr');
  const identity = identityOf(flavour, version, root);
  return { flavour, version, server, baseDirectory, tree, identity };
}

/** A cached folder with these packages unpacked. */
export async function fetchPackages(
  name: string,
  suite: Suite,
  packages: readonly string[],
  log: Log,
): Promise<string> {
  // Another list of packages is another folder.
  const list = shortHash(packages.join(' '));
  return cached(`${name}-${suite}-${process.arch}-${list}`, log, async (folder) => {
    const versions = await unpackPackages(folder, suite, packages, log);
    await writeFile(join(folder, 'packages.txt'), `${versions.sort().join('\n')}\n`);
  });
}

/**
 * The version where the program is the wanted flavour. MariaDB also installs a `mysqld` and says
 * `Ver 10.11.19-MariaDB-… `; Oracle's says `Ver 9.7.4-2 for Linux on x86_64 ((Debian))`.
 */
async function askVersion(server: CommandLine, flavour: Flavour): Promise<string | undefined> {
  const args = [...server.argsPrefix, '--no-defaults', '--version'];
  const result = await run(server.command, args, { env: server.env, timeoutMs: 30_000 });
  const text = result.stdout.toString('utf8');
  const match = /Ver ((\d+)\.\d+\.\d+)/.exec(text);
  if (match?.[1] === undefined || text.includes('MariaDB') !== (flavour === 'mariadb')) {
    return undefined;
  }
  const tooOld = flavour === 'mysql' && Number(match[2]) < 8;
  return tooOld ? undefined : match[1];
}

function identityOf(flavour: Flavour, version: string, place: string): string {
  return `${flavour}-${version}-${shortHash(place)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

export type ClientTool =
  | 'mysql'
  | 'mysqldump'
  | 'mysqlbinlog'
  | 'mysqladmin'
  | 'mysql_tzinfo_to_sql'
  | 'mariadb'
  | 'mariadb-dump'
  | 'mariadb-binlog'
  | 'mariadb-tzinfo-to-sql';

/**
 * How to run a client program of an installation. Options of the caller that must come first
 * (`--defaults-file`) can: ours only concern the loader.
 *
 * @throws SandboxError where the installation has no such program.
 */
export function clientTool(installation: Installation, name: ClientTool): CommandLine {
  if (installation.tree !== undefined) return unpackedCommand(installation.tree, name);
  const beside = join(dirname(installation.server.command), name);
  const program = existsSync(beside) ? beside : onPath(name);
  if (program === undefined) {
    throw new SandboxError(`expected the program ${name} on PATH but found none; install it`);
  }
  return { command: program, argsPrefix: [], env: { ...process.env } };
}
