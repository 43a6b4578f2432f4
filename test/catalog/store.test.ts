/** backup_logs.json through crashes, contention and damage, with real files and processes. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatCatalog } from '../../src/catalog/records.js';
import { openCatalog } from '../../src/catalog/store.js';
import { ensureBackupDirectory } from '../../src/catalog/store-files.js';
import { startChild, translateCatalog } from './child.js';
import { entryOf } from './support.js';

let translated: string;
let directory: string;
let path: string;

beforeAll(() => {
  translated = translateCatalog();
});

afterAll(() => {
  rmSync(translated, { recursive: true });
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reshelve-catalog-'));
  path = join(directory, 'backup_logs.json');
});

afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true });
});

describe('the backup directory', () => {
  test('is created with its folders, for its owner alone', async () => {
    const fresh = join(directory, 'a/b');
    await ensureBackupDirectory(fresh);
    await ensureBackupDirectory(fresh);
    const folders = readdirSync(fresh, { recursive: true, encoding: 'utf8' }).sort();
    expect(folders).toEqual([
      'archives',
      'archives/monthly',
      'archives/weekly',
      'archives/yearly',
      'emergency',
      'incremental',
    ]);
    for (const folder of ['', ...folders]) {
      expect(statSync(join(fresh, folder)).mode & 0o777, folder).toBe(0o700);
    }
  });

  test.runIf(process.platform === 'linux')('where none can be made that is said', async () => {
    for (const path of ['/proc/reshelve', '/proc/reshelve/backups']) {
      await expect(ensureBackupDirectory(path)).rejects.toMatchObject({
        message: expect.stringContaining('/proc/reshelve') as string,
      });
    }
  });

  test('an existing one keeps its mode; a file in its place is named', async () => {
    chmodSync(directory, 0o750);
    await ensureBackupDirectory(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    const blocked = join(directory, 'file');
    writeFileSync(blocked, '');
    await expect(ensureBackupDirectory(blocked)).rejects.toMatchObject({
      code: 'DIRECTORY',
      message: expect.stringContaining(blocked) as string,
    });
  });
});

describe('appending and updating', () => {
  test('a missing file is an empty catalog; entries come back in order', async () => {
    const catalog = openCatalog(directory);
    expect(await catalog.read()).toEqual([]);
    expect(existsSync(path)).toBe(false);
    await catalog.append(entryOf({ id: 'a' }));
    await catalog.append(entryOf({ id: 'b' }));
    expect(await catalog.read()).toEqual([entryOf({ id: 'a' }), entryOf({ id: 'b' })]);
    expect(readFileSync(path, 'utf8')).toBe(formatCatalog(await catalog.read()));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['backup_logs.json']);
  });

  test('an update changes its entry alone and keeps fields of other versions', async () => {
    const future = { ...entryOf({ id: 'b' }), colour: { of: ['tomorrow'] } };
    writeFileSync(path, JSON.stringify([entryOf({ id: 'a' }), future, entryOf({ id: 'c' })]));
    const verification = { status: 'success', method: 'restore', runId: 'v' } as const;
    const updated = await openCatalog(directory).update('b', { verification });
    expect(updated).toEqual({ ...future, verification });
    expect(await openCatalog(directory).read()).toEqual([
      entryOf({ id: 'a' }),
      { ...future, verification },
      entryOf({ id: 'c' }),
    ]);
    expect(await openCatalog(directory).update('nobody', { verification })).toBeUndefined();
  });

  test('what is no entry, or is there already, is a defect and changes nothing', async () => {
    const catalog = openCatalog(directory);
    await catalog.append(entryOf());
    const before = readFileSync(path, 'utf8');
    await expect(catalog.append(entryOf())).rejects.toThrow(/assertion failed: entry run-1 is new/);
    await expect(catalog.append(entryOf({ id: '' }))).rejects.toThrow(/assertion failed/);
    await expect(catalog.update('run-1', { durationMs: -1 })).rejects.toThrow(/assertion failed/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('many at once in one process: none is lost', async () => {
    const [one, other] = [openCatalog(directory), openCatalog(directory)];
    const ids = Array.from({ length: 30 }, (_, index) => `run-${index}`);
    await Promise.all(
      ids.map(async (id, index) => (index % 2 === 0 ? one : other).append(entryOf({ id }))),
    );
    expect((await openCatalog(directory).read()).map(({ id }) => id).sort()).toEqual(ids.sort());
  });

  test('old runs leave, those whose backup exists stay', async () => {
    const catalog = openCatalog(directory, { entriesMax: 3 });
    writeFileSync(join(directory, 'kept'), '');
    for (const id of ['kept', 'b', 'c', 'd', 'e']) await catalog.append(entryOf({ id, file: id }));
    expect((await catalog.read()).map(({ id }) => id)).toEqual(['kept', 'c', 'd', 'e']);
  });

  test('a directory that is gone is named, and nothing is created', async () => {
    const gone = join(directory, 'gone');
    await expect(openCatalog(gone).append(entryOf())).rejects.toMatchObject({
      code: 'DIRECTORY',
      message: expect.stringContaining(gone) as string,
    });
    expect(existsSync(gone)).toBe(false);
  });
});

const APPEND = `
import { openCatalog } from './catalog/store.js';
const [, , directory, name, count] = process.argv;
const catalog = openCatalog(directory);
const entry = ${JSON.stringify(entryOf())};
for (let index = 0; index < Number(count); index++) {
  await catalog.append({ ...entry, id: name + '-' + index });
  console.log('acknowledged ' + name + '-' + index);
}
`;

function acknowledged(output: string): string[] {
  return [...output.matchAll(/^acknowledged (\S+)$/gm)].map(([, id = '']) => id);
}

describe('crashes', () => {
  test('killed at any moment, the file parses and holds every acknowledged entry', async () => {
    const acknowledgedIds: string[] = [];
    const begin = performance.now();
    let kills = 0;
    for (let run = 0; performance.now() - begin < 4000; run++) {
      const children = [0, 1].map((one) =>
        startChild(translated, APPEND, directory, `${run}.${one}`, '1000'),
      );
      await children[0]?.said('acknowledged');
      await delay(Math.random() * 40);
      for (const child of children) {
        child.process.kill('SIGKILL');
        await child.ended;
        kills++;
        expect(child.output()).not.toContain('Error');
        acknowledgedIds.push(...acknowledged(child.output()));
      }
      const ids = (await openCatalog(directory).read()).map(({ id }) => id);
      const known = new Set(ids);
      expect(acknowledgedIds.filter((id) => !known.has(id))).toEqual([]);
      // At most the one that each child was about to acknowledge is there beyond that.
      expect(ids.length - acknowledgedIds.length).toBeLessThanOrEqual(kills);
    }
    expect(kills).toBeGreaterThan(3);
    await openCatalog(directory).append(entryOf({ id: 'last' }));
    // Killed between creating and writing a file: nobody can tell whose it is until it is old.
    const isEmpty = (name: string): boolean => statSync(join(directory, name)).size === 0;
    expect(readdirSync(directory).filter((name) => !isEmpty(name))).toEqual(['backup_logs.json']);
  });

  test('several processes at once lose nothing', async () => {
    const children = ['a', 'b', 'c'].map((name) =>
      startChild(translated, APPEND, directory, name, '15'),
    );
    const codes = await Promise.all(children.map(({ ended }) => ended));
    expect(codes).toEqual([0, 0, 0]);
    expect(await openCatalog(directory).read()).toHaveLength(45);
  });

  test('a write that fails leaves the old file and no other', async () => {
    const catalog = openCatalog(directory);
    const entries = Array.from({ length: 30 }, (_, index) => entryOf({ id: `old-${index}` }));
    writeFileSync(path, formatCatalog(entries));
    const limited = `
import { spawnSync } from 'node:child_process';
const [, , ...args] = process.argv;
const command = 'ulimit -f 16; exec "$0" "$@"';
const { stderr, stdout } = spawnSync('sh', ['-c', command, process.execPath, ...args], { encoding: 'utf8' });
console.log(stdout + stderr);
`;
    const script = `
import { openCatalog } from './catalog/store.js';
process.on('SIGXFSZ', () => {});
const entry = ${JSON.stringify(entryOf({ id: 'new' }))};
try {
  await openCatalog(process.argv[2]).append(entry);
  console.log('appended');
} catch (error) {
  console.log('refused ' + error.code + ' ' + error.message);
}
`;
    const file = join(translated, 'limited.js');
    writeFileSync(file, script);
    const child = startChild(translated, limited, file, directory);
    await child.ended;
    expect(child.output()).toMatch(/^refused IO cannot write .*backup_logs\.json.*\(EFBIG\)/);
    expect(await catalog.read()).toEqual(entries);
    expect(readdirSync(directory)).toEqual(['backup_logs.json']);
  });
});

describe('damage', () => {
  test('is refused by name, and nothing is written over it', async () => {
    const catalog = openCatalog(directory);
    for (const text of ['', '{', '[{}]', '\0'.repeat(512)]) {
      writeFileSync(path, text);
      const refusal = { code: 'CATALOG_DAMAGED', message: expect.stringContaining(path) as string };
      await expect(catalog.read()).rejects.toMatchObject(refusal);
      await expect(catalog.append(entryOf())).rejects.toMatchObject(refusal);
      await expect(catalog.update('run-1', {})).rejects.toMatchObject(refusal);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    expect(readdirSync(directory)).toEqual(['backup_logs.json']);
  });

  test('is moved aside, never deleted; what can be read or was found is in the new file', async () => {
    const catalog = openCatalog(directory);
    const entries = ['a', 'b', 'c'].map((id) => entryOf({ id, file: `${id}.sql.gz` }));
    const damaged = formatCatalog(entries).slice(0, -40);
    const [, , third] = entries;
    for (const aside of [1, 2]) {
      writeFileSync(path, damaged);
      const recovery = await catalog.recoverDamaged(third === undefined ? [] : [third]);
      expect(recovery).toMatchObject({ salvaged: 2, entries });
      expect(recovery.movedTo).toMatch(/\/backup_logs\.damaged-\d{8}T\d{6}Z(_2)?\.json$/);
      expect(readFileSync(recovery.movedTo ?? '', 'utf8')).toBe(damaged);
      expect(await catalog.read()).toEqual(entries);
      expect(readdirSync(directory)).toHaveLength(1 + aside);
    }
  });

  test('a sound or missing catalog is merged with what was found', async () => {
    const catalog = openCatalog(directory);
    const found = entryOf({ id: 'found' });
    const recovery = await catalog.recoverDamaged([found]);
    expect(recovery).toEqual({ movedTo: undefined, salvaged: 0, entries: [found] });
    await catalog.update('found', { trigger: 'schedule' });
    await catalog.recoverDamaged([found]);
    expect(await catalog.read()).toEqual([{ ...found, trigger: 'schedule' }]);
    expect(readdirSync(directory)).toEqual(['backup_logs.json']);
  });
});
