/** A server that forbids an engine makes its tables with another one, which nobody may overlook. */
import { expect, onTestFinished, test } from 'vitest';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, privateServer, query, sharedServer } from '../support/servers.js';

test('a restore warns of tables that got another engine', async () => {
  const source = await sharedServer('mysql');
  const { name } = await createDatabase(source, 'engine');
  await query(source, 'CREATE TABLE note (id INT) ENGINE = MyISAM; CREATE TABLE b (id INT)', name);
  const workspace = await createWorkspace(source, name);
  onTestFinished(() => workspace.remove());
  expect((await workspace.run(['full'])).code).toBe(0);
  const strict = await privateServer('mysql', { options: ['--disabled-storage-engines=MyISAM'] });
  const restored = await workspace.run(['restore', '--yes'], {
    DB_PORT: String(strict.port),
    DB_PASS: strict.password,
  });
  expect(restored.code, restored.stderr).toBe(3);
  expect(restored.stderr).toMatch(/^warning OTHER_ENGINE: .*: note \(InnoDB, was MyISAM\)$/m);
  const same = await workspace.run(['restore', '--yes']);
  expect(same.code, same.stderr).toBe(0);
  expect(same.stderr).not.toContain('OTHER_ENGINE');
});
