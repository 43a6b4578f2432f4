/** Online recovery, undo and finish on real servers, judged by an oracle that shares no code with src/. */
import { afterEach, describe, expect, it } from 'vitest';
import { captureState, compareStates } from '../corpus/oracle.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { query, sharedServer } from '../support/servers.js';
import { changeSwappable, createSwappable, sideDatabases } from '../support/swappable.js';

let workspace: Workspace | undefined;
const TIMEOUT = { timeout: 300_000 };

afterEach(async () => {
  await workspace?.remove();
});

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it('swaps the backup in, takes the old state back, and finishes', TIMEOUT, async () => {
    const server = await sharedServer(flavour);
    const { name } = await createSwappable(server, flavour);
    const space = await createWorkspace(server, name);
    workspace = space;
    const wanted = await captureState(server, name);
    expect((await space.run(['full'])).code).toBe(0);
    await changeSwappable(server, name);
    const old = await captureState(server, name);

    const planned = await space.run(['recover', '--online', '--dry-run']);
    expect(planned.code, planned.stderr).toBe(0);
    expect(await sideDatabases(server, name)).toEqual([]);
    const refused = await space.run(['recover', '--online']);
    expect(refused.code).toBe(2);

    const online = await space.run(['recover', '--online', '--yes']);
    expect(online.code, online.stdout + online.stderr).toBe(0);
    expect(online.stdout).toContain('=== RECOVERY SUCCESSFUL ===');
    expect(compareStates(wanted, await captureState(server, name))).toEqual([]);
    const [before = ''] = await sideDatabases(server, name);
    expect(before).toMatch(/__before_\d{8}_\d{6}$/);
    const status = await space.run(['status']);
    expect(status.stdout).toContain(before);
    expect((await space.run(['recover', '--online', '--yes'])).code).toBe(1);

    await query(server, "INSERT INTO audit (what) VALUES ('after the swap')", name);
    const undone = await space.run(['recover', '--undo', '--yes']);
    expect(undone.code, undone.stdout + undone.stderr).toBe(0);
    expect(compareStates(old, await captureState(server, name))).toEqual([]);
    const [aside = '', ...others] = await sideDatabases(server, name);
    expect(aside).toMatch(/__undone_\d{8}_\d{6}$/);
    expect(others).toEqual([]);
    expect(
      await query(server, "SELECT COUNT(*) AS n FROM audit WHERE what = 'after the swap'", aside),
    ).toMatchObject([{ n: 1 }]);

    const finished = await space.run(['recover', '--finish', '--yes']);
    expect(finished.code, finished.stderr).toBe(0);
    expect(await sideDatabases(server, name)).toEqual([]);
    expect(compareStates(old, await captureState(server, name))).toEqual([]);
    expect((await space.run(['recover', '--finish', '--yes'])).code).toBe(2);
    expect((await space.run(['recover', '--undo', '--yes'])).code).toBe(2);
  });
});
