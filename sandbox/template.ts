import { constants, existsSync } from 'node:fs';
import { cp, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached } from './cache.js';
import { SandboxError } from './errors.js';
import type { Installation } from './installation.js';
import { runChecked, type Log } from './run.js';
import { installationOptions, shareDirectory } from './server-options.js';
import { timeZoneScript } from './time-zones.js';

/** Raised when the way to initialise changes, so that older templates are not used. */
const TEMPLATE_VERSION = 2;

const INITIALISE_TIMEOUT_MS = 5 * 60_000;

/**
 * Makes `dataDirectory` (which must not exist yet) an initialised data directory whose root has no
 * password. Initialising takes seconds, so it is done once per installation and then copied.
 */
export async function createDataDirectory(
  installation: Installation,
  dataDirectory: string,
  log: Log,
): Promise<void> {
  const name = `template-${installation.identity}-${TEMPLATE_VERSION}`;
  const template = await cached(name, log, async (folder) => {
    log(`initialising a ${installation.flavour} ${installation.version} data directory`);
    const data = join(folder, 'data');
    const zones = await timeZoneScript(installation);
    if (installation.flavour === 'mysql') {
      const zonesFile = join(folder, 'time-zones.sql');
      await writeFile(zonesFile, zones);
      await initialiseMysql(installation, data, zonesFile);
    } else {
      await initialiseMariadb(installation, data, zones);
    }
    // The server's UUID: each copy must make its own.
    await rm(join(data, 'auto.cnf'), { force: true });
  });
  await cp(join(template, 'data'), dataDirectory, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
}

async function initialiseMysql(
  installation: Installation,
  data: string,
  initFile: string,
): Promise<void> {
  const { command, argsPrefix, env } = installation.server;
  const options = [...installationOptions(installation), `--datadir=${data}`];
  const args = [...argsPrefix, ...options, '--initialize-insecure', `--init-file=${initFile}`];
  await runChecked(command, args, { env, timeoutMs: INITIALISE_TIMEOUT_MS });
}

/**
 * MariaDB's own way is the shell script mariadb-install-db, which feeds these files to
 * `mariadbd --bootstrap` after looking for programs at fixed places; we feed them ourselves.
 */
async function initialiseMariadb(
  installation: Installation,
  data: string,
  zones: string,
): Promise<void> {
  const { command, argsPrefix, env } = installation.server;
  // Installed: `/usr/sbin/mariadbd` has its files in `/usr/share`, an unpacked archive likewise.
  const base = installation.baseDirectory ?? dirname(dirname(await realpath(command)));
  const share = shareDirectory(base);
  await mkdir(data, { mode: 0o700 });
  const args = [
    ...argsPrefix,
    ...installationOptions(installation),
    `--datadir=${data}`,
    '--bootstrap',
    '--log-warnings=0',
    '--enforce-storage-engine=',
    '--max_allowed_packet=8M',
    '--net_buffer_length=16K',
  ];
  const input = (await mariadbSystemTables(share)) + zones;
  await runChecked(command, args, { env, input, timeoutMs: INITIALISE_TIMEOUT_MS });
}

async function mariadbSystemTables(share: string): Promise<string> {
  const files = [
    'mysql_system_tables.sql',
    'mysql_performance_tables.sql',
    'mysql_system_tables_data.sql',
    'fill_help_tables.sql',
    'maria_add_gis_sp_bootstrap.sql',
    'mysql_sys_schema.sql',
  ];
  // Root gets an empty password instead of the unix_socket plug-in.
  let script = 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n';
  for (const file of files) {
    // Newer releases name the files mariadb_….
    const names = [file, file.replace(/^mysql_/, 'mariadb_')].map((name) => join(share, name));
    const path = names.find((name) => existsSync(name));
    if (path === undefined) throw new SandboxError(`expected ${file} in ${share}`);
    script += await readFile(path, 'utf8');
  }
  // As `--cross-bootstrap` does: no accounts for this machine's own host name.
  const lines = script.split('\n').filter((line) => !line.includes('@current_hostname'));
  return lines.join('\n');
}
