import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clientTool, type Installation } from './installation.js';
import { runChecked } from './run.js';

/**
 * SQL that fills the time zone tables of the database `mysql`, so that names such as
 * `Europe/Berlin` work (events keep theirs). Empty where the machine has no zone files.
 */
export async function timeZoneScript(installation: Installation): Promise<string> {
  const zones = join(installation.tree?.root ?? '/', 'usr/share/zoneinfo');
  if (!existsSync(zones)) return '';
  const isMysql = installation.flavour === 'mysql';
  const tool = clientTool(installation, isMysql ? 'mysql_tzinfo_to_sql' : 'mariadb-tzinfo-to-sql');
  // MariaDB's would otherwise change table engines on the way when a cluster is configured.
  const options = isMysql ? [] : ['--skip-write-binlog'];
  // It warns about the files in that folder that are no zones.
  const { stdout } = await runChecked(tool.command, [...tool.argsPrefix, ...options, zones], {
    env: tool.env,
    timeoutMs: 60_000,
  });
  return `USE mysql;\n${stdout.toString('utf8')}`;
}
