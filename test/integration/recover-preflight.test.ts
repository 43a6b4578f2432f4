/**
 * Everything that a recovery can know before its first change, each with what to do about it; nothing
 * is changed by any of it. The servers are this file's own, because their settings are changed.
 */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Flavour, PrivateServer } from '../../sandbox/index.js';
import { clientTool, ensureMysql, startServer, withOptionFile } from '../../sandbox/index.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { SOAK } from '../faults/support/strike.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { createRecoverable } from '../support/recoverable.js';
import type { TestDatabase } from '../support/servers.js';
import { query } from '../support/servers.js';

/** RESHELVE_SOAK=1 asks MariaDB as well. */
const FLAVOURS: readonly Flavour[] = SOAK ? ['mysql', 'mariadb'] : ['mysql'];
const VECTOR = join(import.meta.dirname, '../vectors/archive/sound.sql.gz');

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: PrivateServer;
  let library: TestDatabase;
  let workspace: Workspace;

  beforeAll(async () => {
    server = await startServer({ flavour });
    library = await createRecoverable(server);
    workspace = await createWorkspace(server, library.name);
    await query(
      server,
      'INSERT INTO book (id, isbn, cover) VALUES (999, 1, REPEAT(1, 60000))',
      library.name,
    );
    expect((await workspace.run(['full'])).code).toBe(0);
  });
  afterAll(async () => {
    await workspace.remove();
    await server.stop();
  });

  async function plan(
    args: readonly string[],
    environment: Record<string, string> = {},
  ): Promise<CliResult> {
    const result = await workspace.run(['recover', '--dry-run', ...args], environment);
    expect(result.code, result.stderr).toBe(0);
    return result;
  }

  /** `--dry-run` says it, the recovery itself refuses with the same words, and nothing is changed. */
  async function expectRefusal(
    args: readonly string[],
    words: RegExp,
    environment: Record<string, string> = {},
  ): Promise<void> {
    const before = await captureState(server, library.name);
    expect((await plan(args, environment)).stdout).toMatch(words);
    const { code, stderr } = await workspace.run(['recover', ...args, '--yes'], environment);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('PREFLIGHT: the recovery would not succeed');
    expect(stderr).toMatch(words);
    expect(compareStates(before, await captureState(server, library.name))).toEqual([]);
  }

  async function withUser(
    grants: string,
    use: (environment: Record<string, string>) => Promise<void>,
  ): Promise<void> {
    await query(server, `CREATE USER 'clerk'@'%' IDENTIFIED BY 'secret'; ${grants}`);
    try {
      await use({ DB_USER: 'clerk', DB_PASS: 'secret' });
    } finally {
      await query(server, "DROP USER 'clerk'@'%'");
    }
  }

  async function dump(name: string, ...statements: readonly string[]): Promise<string> {
    await writeFile(join(workspace.directory, name), `${statements.join(';\n')};\n`);
    return name;
  }

  test('a statement that is longer than max_allowed_packet', async () => {
    const [before] = await query(server, 'SELECT @@GLOBAL.max_allowed_packet AS n');
    await query(server, 'SET GLOBAL max_allowed_packet = 32768');
    try {
      await expectRefusal(
        [],
        /max_allowed_packet .* is too little for the backup's longest statement.*\n +SET (GLOBAL|PERSIST) max_allowed_packet = 1048576/,
      );
    } finally {
      await query(server, `SET GLOBAL max_allowed_packet = ${String(before?.['n'])}`);
    }
  });

  test('collations and character sets that this server does not know', async () => {
    const file = await dump('unknown.sql', 'CREATE TABLE t (a TEXT COLLATE utf8mb4_martian_ci)');
    await expectRefusal(
      [file],
      /does not know collation utf8mb4_martian_ci, which the backup uses/,
    );
  });

  test('definers: other users’, and such as do not exist', async () => {
    const view = (definer: string): string =>
      `CREATE DEFINER = ${definer} SQL SECURITY INVOKER VIEW v AS SELECT 1 AS one`;
    const gone = await dump('gone.sql', view("'gone'@'nowhere'"));
    expect((await plan([gone])).stdout).toMatch(
      /! the definers gone@nowhere do not exist on this server/,
    );
    const all = `GRANT ALL ON \`${library.name}\`.* TO 'clerk'@'%'`;
    const file = await dump('other.sql', view("'librarian'@'127.0.0.1'"));
    await withUser(all, async (environment) => {
      const privilege = flavour === 'mysql' ? 'SET_ANY_DEFINER' : 'SET USER';
      await expectRefusal(
        [file],
        new RegExp(
          `${privilege} missing: objects are defined by .*\\n +GRANT ${privilege} ON \\*\\.\\* TO`,
        ),
        environment,
      );
    });
  });

  test('what the user lacks on the database', async () => {
    const some = `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON \`${library.name}\`.* TO 'clerk'@'%'`;
    await withUser(some, async (environment) => {
      const grant = `GRANT ALL ON \`${library.name.replaceAll('_', '\\\\?_')}\`\\.\\* TO`;
      await expectRefusal(
        [],
        new RegExp(`no INSERT, .* on ${library.name}.*\\n +${grant}`),
        environment,
      );
      const { stdout } = await plan([], environment);
      expect(stdout).toMatch(/LOCK TABLES missing on .*\n +GRANT LOCK TABLES ON/);
    });
  });

  test('a backup of another kind of server, and of another database, is said', async () => {
    const { stdout } = await plan([VECTOR, '--other-database']);
    expect(stdout).toMatch(/! the backup is of (mysql|mariadb) \S+ and this server is \S+ /);
    expect(stdout).toMatch(/~ views, routines, triggers and events that name \S+ will name /);
  });

  // The reader is MySQL's, and MariaDB does not answer it.
  test.runIf(flavour === 'mysql')('replicas that follow this server', async () => {
    expect((await plan([])).stdout).not.toContain('replicas follow');
    await withReplica(server, async () => {
      expect((await plan([])).stdout).toMatch(/! 1 replicas follow this server/);
    });
  });

  test('definers of views that the server logged', async () => {
    const statement = `CREATE DEFINER = 'librarian'@'127.0.0.1' VIEW logged AS SELECT id FROM loan`;
    await query(server, statement, library.name);
    const made = await workspace.run(['incremental']);
    expect([0, 3], made.stderr).toContain(made.code);
    await query(server, "DROP USER 'librarian'@'127.0.0.1'");
    expect((await plan([])).stdout).toContain('the definers librarian@127.0.0.1 do not exist');
    await query(server, "CREATE USER 'librarian'@'127.0.0.1'");
  });
});

/** A reader of the log that waits for more of it is what a server shows as a replica. */
async function withReplica(server: PrivateServer, use: () => Promise<void>): Promise<void> {
  const { command, argsPrefix, env } = clientTool(await ensureMysql(), 'mysqlbinlog');
  await withOptionFile(server, async (optionFile) => {
    const [log] = await query(server, 'SHOW BINARY LOGS');
    const args = [
      ...argsPrefix,
      `--defaults-file=${optionFile}`,
      '--read-from-remote-server',
      '--stop-never',
      String(log?.['Log_name']),
    ];
    const reader = spawn(command, args, { env, stdio: 'ignore' });
    const ended = new Promise((done) => reader.once('close', done));
    try {
      await expect
        .poll(
          () =>
            query(server, 'SHOW PROCESSLIST').then((rows) =>
              rows.some((row) => String(row['Command']).startsWith('Binlog Dump')),
            ),
          { timeout: 30_000 },
        )
        .toBe(true);
      await use();
    } finally {
      reader.kill();
      await ended;
    }
  });
}
