/** What about a server's log may cost changes is said by each incremental and by the doctor. */
import { expect, it, onTestFinished } from 'vitest';
import { createWorkspace } from '../support/cli.js';
import { connectTo, createDatabase, privateServer, query } from '../support/servers.js';

const OPTIONS = {
  mysql: ['--innodb-native-foreign-keys=ON', '--binlog-expire-logs-seconds=3600'],
  mariadb: ['--log-bin', '--server-id=7', '--binlog-expire-logs-seconds=3600'],
} as const;

const CODES = ['BINLOG_FORMAT', 'BINLOG_EXPIRY', 'XA_PENDING', 'HIDDEN_CASCADES'];

it.each(['mysql', 'mariadb'] as const)(
  'what may cost changes is said (%s)',
  { timeout: 120_000 },
  async (flavour) => {
    const server = await privateServer(flavour, {
      options: [...OPTIONS[flavour], '--binlog-format=STATEMENT'],
    });
    const { name: other } = await createDatabase(server, 'other');
    const { name } = await createDatabase(server, 'lib');
    await query(server, 'CREATE TABLE shelf (id INT PRIMARY KEY)', other);
    await query(
      server,
      `CREATE TABLE book (id INT PRIMARY KEY, shelf INT,
         FOREIGN KEY (shelf) REFERENCES \`${other}\`.shelf (id) ON DELETE SET NULL);
       CREATE TABLE loan (id INT PRIMARY KEY)`,
      name,
    );
    const workspace = await createWorkspace(server, name);
    onTestFinished(() => workspace.remove());
    expect((await workspace.run(['full'])).code).toBe(0);
    const connection = await connectTo(server, name);
    await connection.query("XA START 'late'; INSERT INTO loan VALUES (1)");
    await connection.query("XA END 'late'; XA PREPARE 'late'");
    await connection.end();

    const incremental = await workspace.run(['incremental']);
    expect(incremental.code, incremental.stderr).toBe(3);
    for (const code of CODES) expect(incremental.stderr).toContain(`warning ${code}: `);
    expect(incremental.stderr).toContain('foreign keys into other databases change book ');
    expect(incremental.stderr).toContain('deletes its binary logs after 1.0 hours');

    const doctor = await workspace.run(['doctor']);
    expect(doctor.code).toBe(3);
    expect(doctor.stdout).toContain('binlog_format is STATEMENT');
    expect(doctor.stdout).toContain('foreign keys into other databases change book ');
    expect(doctor.stdout).toContain('1 XA transactions are prepared and not decided');
    expect(doctor.stdout).toContain('its files are deleted after 1.0 hours');
    await query(server, "XA ROLLBACK 'late'");
  },
);
