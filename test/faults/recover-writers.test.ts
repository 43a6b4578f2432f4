/**
 * Somebody writes to the database while it is being recovered. Whatever the moment, what was written is
 * in the database afterwards or in a file that the message names, and the other state is back to the letter.
 * RESHELVE_SOAK=1 strikes at one more moment.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Flavour } from '../../sandbox/index.js';
import { connectTo, query, sharedServer } from '../support/servers.js';
import { startProxy } from './support/proxy.js';
import type { Scene } from './support/strike.js';
import { followUps, other, recoverAndStrike, setScene, sideOf, SOAK } from './support/strike.js';

vi.setConfig({ testTimeout: 300_000 });

const FLAVOURS: readonly Flavour[] = ['mysql', 'mariadb'];

describe.each(FLAVOURS)('on %s', (flavour) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await setScene(await sharedServer(flavour));
  });
  afterAll(async () => {
    await scene.workspace.remove();
    await scene.database.drop();
  });

  /** The SQL of the file that the message says it is kept in. */
  async function keptText(stderr: string): Promise<string> {
    const [, path = ''] = /is kept in (backups\/emergency\/\S+?\.sql\.gz)/.exec(stderr) ?? [];
    expect(path, stderr).not.toBe('');
    return gunzipSync(await readFile(join(scene.workspace.directory, path))).toString('latin1');
  }

  /** Runs `statement` in a moment that a recovery's own statement marks, before the server gets that. */
  async function recoverWith(mark: RegExp, statement: string) {
    const from = await sideOf(scene);
    let isDone = false;
    const proxy = await startProxy(scene.server, {
      onUp: async (chunk) => {
        if (isDone || !mark.test(chunk.toString('latin1'))) return;
        isDone = true;
        await query(scene.server, statement, scene.database.name);
      },
    });
    const file = scene.files[other(from)];
    const environment = { DB_PORT: String(proxy.port) };
    const result = await scene.workspace.run(['recover', file, '--yes'], environment);
    await proxy.close();
    expect(isDone).toBe(true);
    return { from, ...result };
  }

  const moments: readonly (readonly [string, RegExp])[] = [
    ['before the objects are dropped', /DROP (VIEW|PROCEDURE|FUNCTION|EVENT) IF EXISTS/],
    ['before the new state is loaded', /^.{4}.CREATE TABLE/s],
  ];

  test.each(SOAK ? moments : moments.slice(0, 1))(
    'a table that is made %s is not lost',
    async (_, mark) => {
      const statement = "CREATE TABLE stranger (t VARCHAR(40)) SELECT 'written meanwhile' AS t";
      const { code, stderr, from } = await recoverWith(mark, statement);
      expect(code, stderr).toBe(7);
      expect(stderr).toMatch(/ROLLED_BACK: .*stranger/);
      expect(await keptText(stderr)).toContain('written meanwhile');
      expect(await sideOf(scene)).toBe(from);
      expect(await followUps(scene.workspace)).toEqual([]);
    },
  );

  test('rows of an application that comes back while it loads are not lost', async () => {
    const from = await sideOf(scene);
    const writer = await connectTo(scene.server);
    const written: string[] = [];
    const state = { isOver: false };
    const write = async (): Promise<void> => {
      while (!state.isOver && written.length < 20) {
        const text = `Stranger ${written.length}`;
        try {
          await writer.query(
            `INSERT INTO \`${scene.database.name}\`.member (name) VALUES ('${text}')`,
          );
          written.push(text);
        } catch {
          await sleep(2);
        }
      }
    };
    const writing: Promise<void>[] = [];
    const result = await recoverAndStrike(scene, from, {
      step: 'load',
      act: () => {
        writing.push(write());
      },
    });
    state.isOver = true;
    await Promise.all(writing);
    await writer.end();
    expect(written.length).toBeGreaterThan(0);
    expect(result.code, result.stderr).toBe(7);
    const kept = await keptText(result.stderr);
    for (const text of written) expect(kept).toContain(text);
    expect(await sideOf(scene)).toBe(from);
  });
});
