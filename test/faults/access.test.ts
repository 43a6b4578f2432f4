/** The server does not let us in, or not far enough. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import type { TestDatabase } from '../support/servers.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';
import { entriesOf, expectFailure, photograph, watchCommandLines } from './support/aftermath.js';
import { createLibrary, createUser, GUIDE_GRANTS } from './support/library.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let library: TestDatabase;
  let workspace: Workspace;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    library = await createLibrary(server, { books: 200, routines: false });
    workspace = await createWorkspace(server, library.name);
    expect((await workspace.run(['full'])).code).toBe(0);
  });
  afterAll(async () => {
    await workspace.remove();
    await library.drop();
  });

  test('a wrong password', async () => {
    const before = await photograph(workspace);
    const { user, password } = await createUser(server, library.name);
    const wrong = `${password}-and-wrong`;
    const { child, ended } = workspace.start(['full'], { DB_USER: user, DB_PASS: wrong });
    const watch = watchCommandLines(child.pid ?? 0);
    const result = await ended;
    watch.stop();
    await expectFailure(workspace, before, result, {
      codes: ['ACCESS_DENIED'],
      names: [user, `127.0.0.1:${server.port}`],
      next: /DB_USER and DB_PASS/,
      secrets: [password, wrong],
    });
    expect([...watch.lines].filter((line) => line.includes(password))).toEqual([]);
    expect(watch.lines.size).toBeGreaterThan(0);
  });

  test('an unknown database', async () => {
    const before = await photograph(workspace);
    const result = await workspace.run(['full'], { DB_NAME: 'no_such_library' });
    await expectFailure(workspace, before, result, {
      codes: ['UNKNOWN_DATABASE'],
      names: ['no_such_library'],
      next: /DB_NAME/,
      secrets: [server.password],
    });
  });

  test('a database that the user may not see', async () => {
    const before = await photograph(workspace);
    const hidden = await createDatabase(server, 'hidden');
    const { user, password } = await createUser(server, library.name);
    const result = await workspace.run(['full'], {
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: hidden.name,
    });
    await expectFailure(workspace, before, result, {
      codes: ['UNKNOWN_DATABASE', 'PRIVILEGE'],
      names: [hidden.name],
      next: /grant/i,
      secrets: [password],
    });
  });

  test.each(['SELECT', 'SHOW VIEW', 'EVENT', 'TRIGGER'])('%s is missing', async (privilege) => {
    const before = await photograph(workspace);
    const others = GUIDE_GRANTS.filter((one) => one !== privilege);
    const { user, password } = await createUser(server, library.name, others);
    const result = await workspace.run(['full'], { DB_USER: user, DB_PASS: password });
    await expectFailure(workspace, before, result, {
      codes: ['PRIVILEGE'],
      names: [library.name, privilege],
      next: new RegExp(`GRANT .*\\b${privilege}\\b.* ON .${library.name}.\\.\\* TO`),
      secrets: [password],
    });
  });

  test('SELECT on one table only', async () => {
    const before = await photograph(workspace);
    const others = GUIDE_GRANTS.filter((one) => one !== 'SELECT');
    const { user, password } = await createUser(server, library.name, others);
    await query(server, `GRANT SELECT ON \`${library.name}\`.book TO '${user}'@'127.0.0.1'`);
    const result = await workspace.run(['full'], { DB_USER: user, DB_PASS: password });
    await expectFailure(workspace, before, result, {
      codes: ['PRIVILEGE'],
      names: [library.name, 'SELECT'],
      secrets: [password],
    });
  });

  test('routines that nobody may see are a warning', async () => {
    const { user, password } = await createUser(server, library.name);
    const result = await workspace.run(['full'], { DB_USER: user, DB_PASS: password });
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toMatch(/ROUTINES_HIDDEN.*NOT in this backup.*GRANT /);
    expect((await entriesOf(workspace)).at(-1)).toMatchObject({ type: 'full', status: 'warning' });
  });

  test('routines whose bodies are hidden fail the backup', async () => {
    const own = await createLibrary(server, { books: 20 });
    const before = await photograph(workspace);
    const { user, password } = await createUser(server, own.name, [...GUIDE_GRANTS, 'EXECUTE']);
    const result = await workspace.run(['full'], {
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: own.name,
    });
    await expectFailure(workspace, before, result, {
      codes: ['PRIVILEGE'],
      names: [/procedure|function/, own.name, /lend|fine_of/],
      next: flavour === 'mysql' ? /GRANT SHOW_ROUTINE ON \*\.\*/ : /GRANT SELECT ON mysql\.proc/,
      secrets: [password],
    });
    const grant = flavour === 'mysql' ? 'SHOW_ROUTINE ON *.*' : 'SELECT ON mysql.proc';
    await query(server, `GRANT ${grant} TO '${user}'@'127.0.0.1'`);
    const again = await workspace.run(['full'], {
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: own.name,
    });
    expect(again.code, again.stderr).toBe(0);
  });

  test('a view over a hidden function fails the backup', async () => {
    const own = await createLibrary(server, { books: 20 });
    await query(server, 'CREATE VIEW dear AS SELECT fine_of(3) AS fine', own.name);
    const before = await photograph(workspace);
    const { user, password } = await createUser(server, own.name);
    const result = await workspace.run(['full'], {
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: own.name,
    });
    await expectFailure(workspace, before, result, {
      codes: ['PRIVILEGE'],
      names: ['dear', 'fine_of'],
      next: /GRANT /,
      secrets: [password],
    });
  });
});
