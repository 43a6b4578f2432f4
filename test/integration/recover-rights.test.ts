/**
 * Goal: what accounts may do with single routines outlasts a recovery and its rollback. Method: the
 * server's own table of these rights, before and after.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import type { Row } from '../support/servers.js';
import { privateServer, query, sharedServer } from '../support/servers.js';
import { createSwappable } from '../support/swappable.js';

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
    const hasLibraries = flavour === 'mysql';
    if (hasLibraries) {
      await query(
        server,
        "CREATE LIBRARY fees LANGUAGE JAVASCRIPT AS 'export function f() { return 1 }'",
        name,
      );
    }
    await query(
      server,
      `CREATE USER ${USER} IDENTIFIED BY 'kept secret';
       GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE \`${name}\`.lend_again TO ${USER};
       GRANT EXECUTE ON FUNCTION \`${name}\`.due_in TO ${USER}`,
    );
    if (hasLibraries) await query(server, `GRANT EXECUTE ON LIBRARY \`${name}\`.fees TO ${USER}`);
    onTestFinished(async () => {
      await query(server, `DROP USER ${USER}`);
    });
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const rights = await rightsOn(server, name);
    expect(rights).toHaveLength(hasLibraries ? 3 : 2);
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

/** Who may do what, without the order in which the server keeps it. */
async function rightWords(server: ServerAddress, database: string): Promise<string[]> {
  const rights = await rightsOn(server, database);
  return rights.map((right) => JSON.stringify(Object.values(right))).sort();
}

describe.each(['mysql', 'mariadb'] as const)('--online on %s', (flavour) => {
  it('leaves the rights on routines as they were', { timeout: 240_000 }, async () => {
    const server = await privateServer(flavour, { options: [] });
    const { name } = await createSwappable(server, flavour);
    for (const routine of ['same', 'replaced', 'later_dropped']) {
      await query(server, `CREATE PROCEDURE ${routine}() SELECT 1`, name);
    }
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    await query(server, 'DROP PROCEDURE replaced', name);
    await query(server, 'CREATE PROCEDURE replaced() SELECT 2', name);
    await query(server, 'CREATE PROCEDURE `only; now`() SELECT 3', name);
    await query(server, 'CREATE FUNCTION replaced() RETURNS INT DETERMINISTIC RETURN 4', name);
    await query(
      server,
      `CREATE USER 'lender'@'%', 'o''dd "name"'@'10.0.0.%', 'leaves'@'%'; CREATE ROLE desk;
       GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE \`${name}\`.replaced TO 'lender'@'%' WITH GRANT OPTION;
       GRANT EXECUTE ON PROCEDURE \`${name}\`.replaced TO 'o''dd "name"'@'10.0.0.%', desk, 'leaves'@'%';
       GRANT EXECUTE ON PROCEDURE \`${name}\`.same TO 'lender'@'%', desk;
       GRANT ALTER ROUTINE ON FUNCTION \`${name}\`.replaced TO 'lender'@'%';
       GRANT EXECUTE ON PROCEDURE \`${name}\`.\`only; now\` TO 'lender'@'%'`,
    );
    if (flavour === 'mysql') {
      await query(
        server,
        `CREATE LIBRARY \`${name}\`.fees LANGUAGE JAVASCRIPT AS 'export function f() { return 1 }';
         GRANT EXECUTE ON LIBRARY \`${name}\`.fees TO 'lender'@'%'`,
      );
    }
    const before = await rightWords(server, name);
    expect(before).toHaveLength(flavour === 'mysql' ? 9 : 8);
    const isOfMissing = (right: string): boolean => /only; now|"FUNCTION"|"LIBRARY"/.test(right);

    const online = await workspace.run(['recover', '--online', '--yes']);
    expect(online.code, online.stderr).toBe(0);
    const after = await rightWords(server, name);
    expect(after).toEqual(before.filter((right) => !isOfMissing(right)));

    // What changed since the swap counts: a right that was taken, an account that is gone.
    await query(
      server,
      `REVOKE EXECUTE ON PROCEDURE \`${name}\`.replaced FROM desk; DROP USER 'leaves'@'%'`,
    );
    const undone = await workspace.run(['recover', '--undo', '--yes']);
    expect(undone.code, undone.stderr).toBe(0);
    expect(await rightWords(server, name)).toEqual(
      before.filter((right) => !right.includes('leaves') && !/desk.*replaced/.test(right)),
    );
    expect(await query(server, "SELECT 1 FROM mysql.user WHERE User = 'leaves'")).toEqual([]);
    expect(await query(server, 'SELECT replaced() AS n', name)).toEqual([{ n: 4 }]);
  });

  it('says before it begins what it could not give again', { timeout: 240_000 }, async () => {
    const server = await privateServer(flavour, { options: [] });
    const { name } = await createRecoverable(server);
    await query(server, 'CREATE PROCEDURE replaced() SELECT 1', name);
    const administrator = await createWorkspace(server, name);
    onTestFinished(() => administrator.remove());
    expect((await administrator.run(['full'])).code).toBe(0);
    await query(server, 'DROP PROCEDURE replaced', name);
    await query(server, 'CREATE PROCEDURE replaced() SELECT 2', name);
    await query(
      server,
      `CREATE USER 'lender'@'%'; CREATE USER 'few'@'%' IDENTIFIED BY 'few-password';
       GRANT EXECUTE ON PROCEDURE \`${name}\`.replaced TO 'lender'@'%';
       GRANT ALL ON *.* TO 'few'@'%'`,
    );
    const { version, host, port, socketPath } = server;
    const few = { flavour, version, host, port, socketPath, user: 'few', password: 'few-password' };
    const workspace = await createWorkspace(few, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    await query(server, 'DROP PROCEDURE replaced', name);
    await query(server, 'CREATE PROCEDURE replaced() SELECT 3', name);
    await query(server, `GRANT EXECUTE ON PROCEDURE \`${name}\`.replaced TO 'lender'@'%'`);
    const refused = await workspace.run(['recover', '--online', '--yes']);
    expect(refused.code, refused.stderr).toBe(1);
    const scope = name.replaceAll('_', '\\_');
    const grant = `GRANT EXECUTE, ALTER ROUTINE ON \`${scope}\`.* TO \`few\`@\`%\` WITH GRANT OPTION;`;
    expect(refused.stderr).toContain(grant);
    await query(server, grant);
    const online = await workspace.run(['recover', '--online', '--yes']);
    expect(online.code, online.stderr).toBe(0);
    expect(await rightWords(server, name)).toContainEqual(expect.stringContaining('lender'));
  });
});
