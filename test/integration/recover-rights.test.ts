/**
 * Goal: what accounts may do with single routines outlasts a recovery and its rollback. Method: the
 * server's own table of these rights, before and after.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import type { Row } from '../support/servers.js';
import { query, sharedServer } from '../support/servers.js';

const USER = "'lender'@'%'";

function rightsOn(server: ServerAddress, database: string): Promise<Row[]> {
  return query(
    server,
    `SELECT User, Host, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv
     WHERE Db = '${database}' ORDER BY Routine_name`,
  );
}

it.each(['mysql', 'mariadb'] as const)(
  'accounts keep their rights on routines (%s)',
  async (flavour) => {
    const server = await sharedServer(flavour);
    const { name } = await createRecoverable(server);
    // Each on its own: of several in a packet MySQL keeps the `;` in the body.
    await query(server, 'CREATE PROCEDURE lend_again() SELECT 1', name);
    await query(server, 'CREATE FUNCTION due_in() RETURNS INT DETERMINISTIC RETURN 14', name);
    await query(
      server,
      `CREATE USER ${USER} IDENTIFIED BY 'kept secret';
       GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE \`${name}\`.lend_again TO ${USER};
       GRANT EXECUTE ON FUNCTION \`${name}\`.due_in TO ${USER}`,
    );
    onTestFinished(async () => {
      await query(server, `DROP USER ${USER}`);
    });
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const rights = await rightsOn(server, name);
    expect(rights).toHaveLength(2);
    const before = await captureState(server, name);

    const recovered = await workspace.run(['recover', '--yes']);
    expect(recovered.code, recovered.stderr).toBe(0);
    expect(await rightsOn(server, name)).toEqual(rights);
    expect(compareStates(before, await captureState(server, name))).toEqual([]);

    const broken = join(workspace.backups, 'broken.sql');
    await writeFile(broken, 'CREATE TABLE half (id INT);\nINSERT INTO nowhere VALUES (1);\n');
    const failed = await workspace.run(['recover', broken, '--yes']);
    expect(failed.code, failed.stderr).toBe(7);
    expect(await rightsOn(server, name)).toEqual(rights);
    expect(compareStates(before, await captureState(server, name))).toEqual([]);
  },
);
