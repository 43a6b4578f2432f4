/**
 * Goal: a user who could neither load a backup's objects nor put the old ones back is stopped before the
 * first change. Method: objects of root, which has SYSTEM_USER, and a user who may not look that up.
 */
import { expect, it, onTestFinished } from 'vitest';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import { query, sharedServer } from '../support/servers.js';

const USER = "'keeper'@'127.0.0.1'";

it('refuses where SYSTEM_USER may be needed, and says which GRANT helps', async () => {
  const server = await sharedServer('mysql');
  const { name } = await createRecoverable(server);
  await query(
    server,
    `CREATE USER ${USER} IDENTIFIED BY 'kept secret';
     GRANT ALL ON \`${name}\`.* TO ${USER};
     GRANT SHOW_ROUTINE, PROCESS, SET_ANY_DEFINER, SUPER ON *.* TO ${USER}`,
  );
  onTestFinished(async () => {
    await query(server, `DROP USER ${USER}`);
  });
  const admin = await createWorkspace(server, name);
  onTestFinished(() => admin.remove());
  expect((await admin.run(['full'])).code).toBe(0);
  const before = await captureState(server, name);

  const keeper = { DB_USER: 'keeper', DB_PASS: 'kept secret' };
  const refused = await admin.run(['recover', '--yes'], keeper);
  expect(refused.code, refused.stdout).toBe(1);
  expect(refused.stderr).toContain('SYSTEM_USER missing');
  expect(refused.stderr).toContain('GRANT SYSTEM_USER ON *.*');
  expect(compareStates(before, await captureState(server, name))).toEqual([]);

  await query(server, `GRANT SYSTEM_USER ON *.* TO ${USER}`);
  const recovered = await admin.run(['recover', '--yes'], keeper);
  expect(recovered.code, recovered.stderr).toBe(0);
  expect(compareStates(before, await captureState(server, name))).toEqual([]);
});
