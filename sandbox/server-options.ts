import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from './installation.js';

/** Options that any start of this installation's server needs, also the one that initialises. */
export function installationOptions(installation: Installation): string[] {
  const options = ['--no-defaults', '--secure-file-priv='];
  // Without --user both servers refuse to run as root.
  if (process.getuid?.() === 0) options.push('--user=root');
  const base = installation.baseDirectory;
  if (base === undefined) return options;
  const share = shareDirectory(base);
  options.push(
    `--basedir=${base}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
  );
  const plugins = join(base, 'lib/mysql/plugin');
  if (existsSync(plugins)) options.push(`--plugin-dir=${plugins}`);
  return options;
}

/** MariaDB moved its files from `share/mysql` to `share/mariadb` in 11.x packages. */
export function shareDirectory(base: string): string {
  const places = ['share/mysql', 'share/mariadb'].map((place) => join(base, place));
  return places.find((place) => existsSync(join(place, 'charsets'))) ?? join(base, 'share/mysql');
}

export interface ServerPlace {
  readonly dataDirectory: string;
  readonly socketPath: string;
  readonly port: number;
  readonly errorLogPath: string;
  readonly pidFilePath: string;
  readonly temporaryDirectory: string;
}

/** What a private server is started with; the caller's options come later and so win. */
export function privateServerOptions(installation: Installation, place: ServerPlace): string[] {
  const common = [
    ...installationOptions(installation),
    `--datadir=${place.dataDirectory}`,
    `--socket=${place.socketPath}`,
    `--port=${place.port}`,
    '--bind-address=127.0.0.1',
    `--log-error=${place.errorLogPath}`,
    `--pid-file=${place.pidFilePath}`,
    // A server that starts deletes what it takes for its own leavings there, also of one that runs.
    `--tmpdir=${place.temporaryDirectory}`,
    // The port is unique on this machine, and so is the id: replicas need different ones.
    `--server-id=${place.port}`,
    '--log-bin=binlog',
    '--local-infile=OFF',
    '--innodb-buffer-pool-size=256M',
  ];
  // MySQL's default, and deprecated there as an option.
  if (installation.flavour === 'mariadb') return [...common, '--binlog-format=ROW'];
  return [...common, '--mysqlx=OFF', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
}
