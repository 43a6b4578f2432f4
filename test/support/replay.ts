/** Loads archives as a user without Reshelve would: `gunzip -c FILE | mysql --binary-mode DB`. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { runClient } from '../../sandbox/index.js';
import type { ServerAddress } from '../../sandbox/index.js';

export async function replayByClient(
  server: ServerAddress,
  database: string,
  path: string,
  client: 'mysql' | 'mariadb' = server.flavour,
): Promise<void> {
  const input = createReadStream(path).pipe(createGunzip());
  const result = await runClient(server, client, ['--binary-mode'], { database, input });
  if (result.code !== 0) throw new Error(`${client} < ${path}: ${result.stderr}`);
}
