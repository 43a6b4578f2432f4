/**
 * Exit code 8: the recovery fails and so does its rollback, because somebody takes a privilege away in
 * between. What the message then names is done as it is printed, and must bring the old state back.
 * RESHELVE_SOAK=1 does the same on MariaDB, and a resume.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Flavour, ServerAddress } from '../../sandbox/index.js';
import { commandsOf, runByHand } from '../support/by-hand.js';
import type { CliResult } from '../support/cli.js';
import { query, sharedServer } from '../support/servers.js';
import type { Scene, Side } from './support/strike.js';
import { followUps, recoverAndStrike, setScene, sideOf, SOAK } from './support/strike.js';

vi.setConfig({ testTimeout: 300_000 });

const FLAVOURS: readonly Flavour[] = SOAK ? ['mysql', 'mariadb'] : ['mysql'];
const PASSWORD = "it's kept secret";

describe.each(FLAVOURS)('on %s', (flavour) => {
  let server: ServerAddress;
  let scene: Scene;
  let user: string;

  beforeAll(async () => {
    server = await sharedServer(flavour);
    scene = await setScene(server);
    user = `hand_${scene.database.name.slice(-8)}`;
    await query(
      server,
      `CREATE USER '${user}'@'%' IDENTIFIED BY "${PASSWORD}"; GRANT ALL ON *.* TO '${user}'@'%'`,
    );
  });
  afterAll(async () => {
    await query(server, `DROP USER '${user}'@'%'`);
    await scene.workspace.remove();
    await scene.database.drop();
  });

  /** A recovery whose load fails, and whose rollback then lacks a privilege. */
  async function failTwice(from: Side): Promise<CliResult> {
    const result = await recoverAndStrike(scene, from, {
      step: 'load',
      failing: true,
      environment: { DB_USER: user, DB_PASS: PASSWORD },
      act: async () => {
        await query(server, `REVOKE CREATE, INSERT ON *.* FROM '${user}'@'%'`);
      },
    });
    expect(result.code, result.stderr + result.stdout).toBe(8);
    expect(result.stderr).toMatch(
      /ROLLBACK_FAILED: \S+ is NOT in its old state\. The recovery failed: /,
    );
    expect(result.stderr).toMatch(/The rollback failed: .*denied/);
    expect(result.stderr).not.toContain(PASSWORD);
    const [entry] = (await scene.workspace.catalog()).slice(-1);
    expect(entry).toMatchObject({ type: 'recover', error: { code: 'ROLLBACK_FAILED' } });
    for (const args of [['full'], ['incremental'], ['recover', '--yes']]) {
      const refused = await scene.workspace.run(args);
      expect(refused.code, args.join(' ')).toBe(1);
      expect(refused.stderr).toContain('RECOVERY_UNFINISHED');
    }
    const status = await scene.workspace.run(['status']);
    expect(status.code).toBe(3);
    expect(status.stdout).toMatch(/Needs attention.*: recovery: .*being rolled back/);
    await query(server, `GRANT ALL ON *.* TO '${user}'@'%'`);
    return result;
  }

  test('by hand, with the commands that are printed', async () => {
    const from = await sideOf(scene);
    const { stderr } = await failTwice(from);
    const commands = commandsOf(stderr);
    expect(commands).toHaveLength(4);
    const client = { ...server, password: PASSWORD };
    await runByHand(client, commands, scene.workspace.directory);
    expect(await sideOf(scene)).toBe(from);
    expect(await followUps(scene.workspace)).toEqual([]);
    const next = await scene.workspace.run(['full']);
    expect(next.code, next.stderr).toBe(0);
  });

  test('by the rollback that is named first', async () => {
    const from = await sideOf(scene);
    const { stderr } = await failTwice(from);
    expect(stderr).toContain('run `reshelve recover --rollback`');
    const { code, stderr: said } = await scene.workspace.run(['recover', '--rollback', '--yes']);
    expect(code, said).toBe(0);
    expect(await sideOf(scene)).toBe(from);
    expect(await followUps(scene.workspace)).toEqual([]);
  });

  test.runIf(SOAK)('by a resume, which fails as before and has its way back again', async () => {
    const from = await sideOf(scene);
    await failTwice(from);
    // The dump fails again and is rolled back, this time with all that it takes.
    const resumed = await scene.workspace.run(['recover', '--resume', '--yes']);
    expect(resumed.code, resumed.stderr).toBe(7);
    expect(await sideOf(scene)).toBe(from);
    expect(await followUps(scene.workspace)).toEqual([]);
  });
});
