// Records the vectors of this folder; does nothing but for UPDATE_VECTORS=1.
import { it } from 'vitest';
import { recordVector } from './record-vectors.js';

it.runIf(process.env['UPDATE_VECTORS'] === '1')('records logs', { timeout: 300_000 }, async () => {
  await recordVector('mysql', 'mysql', ['--gtid-mode=ON', '--enforce-gtid-consistency=ON']);
  await recordVector('mysql-compressed', 'mysql', [
    '--gtid-mode=ON',
    '--binlog-transaction-compression=ON',
  ]);
  await recordVector('mariadb', 'mariadb', []);
  await recordVector('mariadb-compressed', 'mariadb', [
    '--log-bin-compress=1',
    '--log-bin-compress-min-len=10',
  ]);
});
