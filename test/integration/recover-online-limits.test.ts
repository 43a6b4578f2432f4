/**
 * What an online recovery refuses and what it tells to do about it, how long it waits for others, and when
 * the old tables go. RESHELVE_SOAK=1 also waits until a blocked swap is given up.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { encodeRecord, parseJournal } from '../../src/catalog/recovery-journal-text.js';
import type { DatabaseState } from '../corpus/oracle.js';
import { captureState, compareStates } from '../corpus/oracle.js';
import { journals, SOAK } from '../faults/support/strike.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { connectTo, createDatabase, query, sharedServer } from '../support/servers.js';
import { changeSwappable, createSwappable, sideDatabases } from '../support/swappable.js';

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];
const TIMEOUT = { timeout: 300_000 };
const DAY_MS = 24 * 3600 * 1000;

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let name: string;
  let space: Workspace;
  let newState: DatabaseState;
  let oldState: DatabaseState;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    ({ name } = await createSwappable(server, flavour));
    space = await createWorkspace(server, name);
    newState = await captureState(server, name);
    expect((await space.run(['full'])).code).toBe(0);
    await changeSwappable(server, name);
    oldState = await captureState(server, name);
  }, 300_000);
  afterAll(async () => {
    await space.run(['recover', '--finish', '--yes']);
    await space.remove();
    await query(server, `DROP DATABASE \`${name}\``);
  });

  async function expectState(expected: DatabaseState): Promise<void> {
    expect(compareStates(expected, await captureState(server, name))).toEqual([]);
  }

  /** Refused with this message, and nothing is changed or left. */
  async function expectRefusal(
    args: readonly string[],
    code: number,
    message: RegExp,
  ): Promise<CliResult> {
    const result = await space.run(['recover', '--online', '--yes', ...args]);
    expect(result.code, result.stderr + result.stdout).toBe(code);
    expect(result.stderr).toMatch(message);
    await expectState(oldState);
    expect(await sideDatabases(server, name)).toEqual([]);
    return result;
  }

  const isAsked = SOAK || flavour === 'mysql';

  it.runIf(isAsked)(
    'refuses dumps of other tools and backups of other databases',
    TIMEOUT,
    async () => {
      await writeFile(join(space.directory, 'dump.sql'), 'CREATE TABLE t (a INT);\n');
      await expectRefusal(['dump.sql'], 4, /NOT_A_BACKUP: .*a dump of another tool/);
      const another = await createDatabase(server, 'another');
      await query(server, 'CREATE TABLE t (a INT)', another.name);
      const elsewhere = await createWorkspace(server, another.name);
      expect((await elsewhere.run(['full'])).code).toBe(0);
      const [file = ''] = await elsewhere.finished();
      await expectRefusal([join(elsewhere.backups, file)], 4, /OTHER_DATABASE/);
      await query(server, `DROP DATABASE \`${another.name}\``);
      const missing = await elsewhere.run(['recover', '--online', '--yes']);
      expect(missing.code, missing.stderr).toBe(1);
      expect(missing.stderr).toMatch(/UNKNOWN_DATABASE: .*\nnext: .*without --online/);
      await elsewhere.remove();
    },
  );

  it.runIf(isAsked)(
    'refuses where a foreign key of another database would follow the old tables',
    TIMEOUT,
    async () => {
      const other = await createDatabase(server, 'referring');
      const sql = `CREATE TABLE wish (book INT, FOREIGN KEY (book) REFERENCES \`${name}\`.book (id))`;
      await query(server, sql, other.name);
      await expectRefusal(
        [],
        1,
        /PREFLIGHT: .*\n +foreign keys of other databases refer to .*wish/,
      );
      await query(server, `DROP DATABASE \`${other.name}\``);
    },
  );

  it('tells a user who lacks privileges the GRANTs that are enough', TIMEOUT, async () => {
    const user = `low_${name.slice(-8)}`;
    await query(
      server,
      `CREATE USER '${user}'@'%' IDENTIFIED BY 'secret'; GRANT ALL ON \`${name}\`.* TO '${user}'@'%'`,
    );
    const environment = { DB_USER: user, DB_PASS: 'secret' };
    const asUser = (): Promise<CliResult> =>
      space.run(['recover', '--online', '--yes'], environment);
    let result = await asUser();
    expect(result.code, result.stderr).toBe(1);
    expect(result.stderr).toMatch(/GRANT ALL ON `\S+\\_\\_staging\\_%`\.\* TO/);
    for (let round = 0; round < 3 && result.code === 1; round += 1) {
      expect(result.stderr).toContain('PREFLIGHT');
      await expectState(oldState);
      for (const [grant] of result.stderr.matchAll(/GRANT .*?;/g)) await query(server, grant);
      // The other way, a setting of the server, would change it for all tests.
      if (result.stderr.includes('SUPER missing')) {
        await query(server, `GRANT SUPER ON *.* TO '${user}'@'%'`);
      }
      result = await asUser();
    }
    expect([0, 3], result.stderr).toContain(result.code);
    await expectState(newState);
    const undone = await space.run(['recover', '--undo', '--yes'], environment);
    expect([0, 3], undone.stderr).toContain(undone.code);
    await expectState(oldState);
    const finished = await space.run(['recover', '--finish', '--yes'], environment);
    expect(finished.code, finished.stderr).toBe(0);
    await query(server, `DROP USER '${user}'@'%'`);
  });

  // The one has triggers, the other has none; on MariaDB that is two ways to be in the way.
  it.each(['member', 'book'])('waits for a transaction that holds %s', TIMEOUT, async (table) => {
    const holder = await connectTo(server, name);
    await holder.query('START TRANSACTION');
    await holder.query(`SELECT * FROM ${table}`);
    const { child, ended } = space.start(['recover', '--online', '--yes']);
    let said = '';
    child.stdout?.on('data', (chunk: string) => {
      if (!said.includes('Waiting for') && chunk.includes('Waiting for')) void holder.end();
      said += chunk;
    });
    const result = await ended;
    expect(result.code, result.stderr).toBe(0);
    expect(said).toMatch(/Waiting for a long transaction \(connection \d+ of root@\S+, for \d+ s/);
    await expectState(newState);
    expect((await space.run(['recover', '--undo', '--yes'])).code).toBe(0);
    await space.run(['recover', '--finish', '--yes']);
  });

  it.runIf(SOAK)('gives up a swap that stays blocked', TIMEOUT, async () => {
    const holder = await connectTo(server, name);
    await holder.query('START TRANSACTION');
    await holder.query('SELECT * FROM book');
    const began = performance.now();
    const { stdout } = await expectRefusal([], 1, /TIMEOUT: .*connection \d+ of root@.*as it was/);
    expect((performance.now() - began) / 1000).toBeLessThan(120);
    expect(stdout).toContain('attempt 7 of 8');
    await holder.end();
    expect((await space.run(['list'])).stderr).toBe('');
  });

  it('drops the old tables after BACKUP_BEFORE_RETENTION_DAYS', TIMEOUT, async () => {
    const known = new Set(journals(space));
    expect((await space.run(['recover', '--online', '--yes'])).code).toBe(0);
    const [before = ''] = await sideDatabases(server, name);
    const [journal = ''] = journals(space).filter((path) => !known.has(path));
    expect((await space.run(['full'])).stdout).not.toContain('Removed swap_');
    await age(journal, 8 * DAY_MS);
    const never = await space.run(['full'], { BACKUP_BEFORE_RETENTION_DAYS: '0' });
    expect(never.code, never.stderr).toBe(0);
    const longer = await space.run(['full'], { BACKUP_BEFORE_RETENTION_DAYS: '9' });
    expect(longer.code, longer.stderr).toBe(0);
    expect(await sideDatabases(server, name)).toEqual([before]);
    const { stdout } = await space.run(['full']);
    expect(stdout).toContain(`Removed ${before}: kept for BACKUP_BEFORE_RETENTION_DAYS`);
    expect(await sideDatabases(server, name)).toEqual([]);
    await expectState(newState);
    expect((await space.run(['recover', '--undo', '--yes'])).code).toBe(2);
  });
});

/** Makes the records of a journal older. */
async function age(path: string, byMs: number): Promise<void> {
  const { records } = parseJournal(await readFile(path), path);
  let checksum = '';
  const lines = records.map((record) => {
    const at = new Date(Date.parse(record.at) - byMs).toISOString();
    const encoded = encodeRecord({ ...record, at }, checksum);
    ({ checksum } = encoded);
    return encoded.line;
  });
  await writeFile(path, lines.join(''));
}
