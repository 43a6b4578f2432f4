/** Accounts that the server treats specially: let in where it can be, else told what is the matter. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { connectTo, privateServer, query, sharedServer } from '../support/servers.js';
import { createLibrary } from './support/library.js';

const DETAILS = [
  ['mysql', 'PASSWORD EXPIRE', /^error ACCESS_DENIED: .* 1862 /m, /ALTER USER … IDENTIFIED BY/],
  ['mysql', 'ACCOUNT LOCK', /^error ACCESS_DENIED: .* 3118 /m, /ACCOUNT UNLOCK/],
  ['mariadb', 'ACCOUNT LOCK', /^error ACCESS_DENIED: .* 4151 /m, /ACCOUNT UNLOCK/],
  ['mysql', 'WITH MAX_USER_CONNECTIONS 1', /^error SERVER: .* 1226 /m, /BACKUP_THREADS/],
  ['mariadb', 'WITH MAX_USER_CONNECTIONS 1', /^error SERVER: .* 1226 /m, /BACKUP_THREADS/],
] as const;

test.each(DETAILS)('on %s, %s is told as what it is', async (flavour, clause, error, next) => {
  const server = await sharedServer(flavour);
  const { workspace } = await prepare(server, clause);
  const result = await workspace.run(['full']);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(error);
  expect(result.stderr).toMatch(next);
});

describe('TLS on a loopback address, with DB_SSL_MODE as it is unless set', () => {
  let server: ServerAddress;
  beforeAll(async () => {
    server = await sharedServer('mysql');
  });

  test('is used for an account that insists on it, and costs no failed logins', async () => {
    // Two failures in a row would lock the account.
    const clause = 'REQUIRE SSL FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1';
    const { workspace } = await prepare(server, clause);
    const result = await workspace.run(['full'], { BACKUP_THREADS: '4' });
    expect(result.code, result.stderr).toBe(0);
    const refused = await workspace.run(['full'], { DB_SSL_MODE: 'disabled' });
    expect(refused.stderr).toMatch(/^error ACCESS_DENIED: /m);
  });

  test('is used where the whole server insists on it', async () => {
    const strict = await privateServer('mysql');
    const { workspace } = await prepare(strict, '');
    const administrator = await connectTo(strict);
    onTestFinished(async () => {
      await administrator.query('SET GLOBAL require_secure_transport = OFF');
      await administrator.end();
    });
    await administrator.query('SET GLOBAL require_secure_transport = ON');
    const result = await workspace.run(['full']);
    expect(result.code, result.stderr).toBe(0);
    const plain = await workspace.run(['full'], { DB_SSL_MODE: 'disabled' });
    expect(plain.stderr).toMatch(/^error ACCESS_DENIED: .* 3159 /m);
    expect(plain.stderr).toMatch(/^next: Set DB_SSL_MODE=required/m);
  });

  test('a certificate that nobody vouches for is named as the reason', async () => {
    const { workspace } = await prepare(server, '');
    const result = await workspace.run(['full'], { DB_SSL_MODE: 'verify-identity' });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^error CONNECT: .*TLS: self-signed certificate/m);
    expect(result.stderr).toMatch(/^next: .*DB_SSL_CA/m);
  });
});

/** A library and a user of its own, made with the clause. */
async function prepare(server: ServerAddress, clause: string): Promise<{ workspace: Workspace }> {
  const library = await createLibrary(server, { books: 20, routines: false });
  const user = `account_${randomBytes(4).toString('hex')}`;
  await query(
    server,
    `CREATE USER '${user}'@'%' IDENTIFIED BY 'Geheim-1' ${clause};
     GRANT ALL ON \`${library.name}\`.* TO '${user}'@'%';
     GRANT ${server.flavour === 'mysql' ? 'SHOW_ROUTINE ON *.*' : 'SELECT ON mysql.proc'} TO '${user}'@'%'`,
  );
  const address = { host: server.host, port: server.port, user, password: 'Geheim-1' };
  const workspace = await createWorkspace(address, library.name);
  onTestFinished(() => workspace.remove());
  onTestFinished(async () => {
    await query(server, `DROP USER '${user}'@'%'`);
  });
  return { workspace };
}
