/** What the doctor says on real servers: with everything, with the guide's grants, with nothing. */
import { chmod } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

const GUIDE_GRANTS = 'SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER';

async function guideUser(server: ServerAddress, database: string): Promise<ServerAddress> {
  const user = `u_${database}`.slice(0, 32);
  await query(
    server,
    `CREATE USER \`${user}\`@'%' IDENTIFIED BY 'guide-password';
     GRANT ${GUIDE_GRANTS} ON \`${database}\`.* TO \`${user}\`@'%'`,
  );
  return { ...server, user, password: 'guide-password' };
}

describe.each(['mysql', 'mariadb'] as const)('doctor on %s', (flavour) => {
  it('is content once there is a proven backup', async () => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'doc');
    await query(server, 'CREATE TABLE t (id INT PRIMARY KEY)', name);
    workspace = await createWorkspace(server, name);
    expect((await workspace.run(['doctor'])).code).toBe(3);
    expect((await workspace.run(['full'])).code).toBe(0);
    expect((await workspace.run(['verify'])).code).toBe(0);
    const result = await workspace.run(['doctor']);
    expect(result.stdout).not.toContain('✗');
    expect(result.stdout).toContain('global-read-lock');
    expect(result.stdout).toContain('the last proof by test restore was');
  });

  it('prints the statements that the guide’s user lacks', async () => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'doc');
    const user = await guideUser(server, name);
    workspace = await createWorkspace(user, name);
    const result = await workspace.run(['doctor']);
    expect(result.code).toBe(3);
    expect(result.stdout).toContain(`✓ SELECT, SHOW VIEW, TRIGGER, EVENT on all of ${name}`);
    expect(result.stdout).toContain('table-locks');
    const routines = flavour === 'mysql' ? 'GRANT SHOW_ROUTINE ON *.*' : 'GRANT SELECT ON';
    expect(result.stdout).toContain(routines);
    const pattern = `${name}_verify_test`.replaceAll('_', '\\_');
    expect(result.stdout).toContain(`GRANT ALL ON \`${pattern}\`.* TO \`${user.user}\`@\`%\`;`);
  });

  it('fails where a backup would, and names what to run', async () => {
    const server = await sharedServer(flavour);
    const { name } = await createDatabase(server, 'doc');
    const user = await guideUser(server, name);
    await query(server, `REVOKE TRIGGER ON \`${name}\`.* FROM \`${user.user}\`@'%'`);
    workspace = await createWorkspace(user, name);
    const result = await workspace.run(['doctor']);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`GRANT TRIGGER ON `);
    const full = await workspace.run(['full']);
    expect(full.code).toBe(1);
  });
});

it('goes on past a server that refuses, and prints one JSON document', async () => {
  const server = await sharedServer('mysql');
  const { name } = await createDatabase(server, 'doc');
  workspace = await createWorkspace({ ...server, password: 'wrong' }, name, {
    BACKUP_CRON_SCHEDULE: 'every night',
  });
  const result = await workspace.run(['--json', 'doctor']);
  expect(result.code).toBe(1);
  const { findings } = JSON.parse(result.stdout) as {
    findings: { group: string; status: string; text: string }[];
  };
  const failed = findings.filter(({ status }) => status === 'failed');
  expect(failed.map(({ group }) => group)).toEqual(['server', 'schedule']);
  expect(result.stdout + result.stderr).not.toContain('wrong');
});

it('sees a directory that others can read', async () => {
  const server = await sharedServer('mysql');
  const { name } = await createDatabase(server, 'doc');
  workspace = await createWorkspace(server, name);
  expect((await workspace.run(['full'])).code).toBe(0);
  await chmod(workspace.backups, 0o755);
  const result = await workspace.run(['doctor']);
  expect(result.code).toBe(3);
  expect(result.stdout).toContain('mode 0755: others can look at the backups');
});
