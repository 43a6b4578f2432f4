/** The quarterly exercise and the screen that tells of it, on real servers. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createLibrary } from '../faults/support/library.js';
import { createWorkspace } from '../support/cli.js';
import type { Workspace } from '../support/cli.js';
import { query, sharedServer } from '../support/servers.js';

let workspace: Workspace | undefined;

afterEach(async () => {
  await workspace?.remove();
});

interface StatusDocument {
  readonly status: string;
  readonly findings: readonly { topic: string; status: string; text: string; next?: string }[];
}

async function statusOf(space: Workspace): Promise<{ code: number | null; found: StatusDocument }> {
  const { code, stdout } = await space.run(['status', '--json']);
  return { code, found: JSON.parse(stdout) as StatusDocument };
}

function attention({ findings }: StatusDocument): string[] {
  return findings.filter(({ status }) => status === 'attention').map(({ topic }) => topic);
}

describe.each(['mysql', 'mariadb'] as const)('%s', (flavour) => {
  it('exercises a recovery, measures it, and tells of it', { timeout: 240_000 }, async () => {
    const server = await sharedServer(flavour);
    const { name } = await createLibrary(server, { books: 5000 });
    const space = await createWorkspace(server, name);
    workspace = space;

    const empty = await statusOf(space);
    expect(empty.code).toBe(3);
    expect(attention(empty.found)).toEqual(['newest backup']);

    expect((await space.run(['full'])).code).toBe(0);
    const unproven = await statusOf(space);
    expect(unproven.code).toBe(3);
    expect(attention(unproven.found)).toEqual(['newest proof']);

    const drill = await space.run(['drill', '--json']);
    expect(drill.code, drill.stderr).toBe(0);
    const { drill: measured } = JSON.parse(drill.stdout) as {
      drill: { steps: { name: string; durationMs: number }[]; recoveryMs: number };
    };
    const names = measured.steps.map((step) => step.name);
    expect(names).toEqual(['check', 'create', 'load', 'compare', 'drop']);
    const sum = measured.steps.slice(0, 4).reduce((total, step) => total + step.durationMs, 0);
    expect(measured.recoveryMs).toBe(sum);
    expect((await space.catalog()).at(-1)).toMatchObject({ type: 'verify', drill: measured });
    expect(await query(server, `SHOW DATABASES LIKE '${name}\\_%'`)).toEqual([]);

    const proven = await space.run(['status']);
    expect(proven.code, proven.stdout).toBe(0);
    expect(proven.stdout).toMatch(/✓ newest proof +the newest backup, proven by a test restore/);
    expect(proven.stdout).toMatch(
      /✓ recovery drill +a recovery takes about [\d.]+ s, measured 0 min/,
    );
    expect(proven.stdout).toContain('All is well.');
  });

  it('exercises the newest state, incrementals and all', { timeout: 240_000 }, async () => {
    const server = await sharedServer(flavour);
    const { name } = await createLibrary(server, { books: 200 });
    const space = await createWorkspace(server, name);
    workspace = space;
    expect((await space.run(['full'])).code).toBe(0);
    await query(server, 'CREATE TABLE later (id INT PRIMARY KEY)', name);
    await query(server, 'INSERT INTO later VALUES (1), (2), (3)', name);
    const incremental = await space.run(['incremental']);
    expect([0, 3], incremental.stderr).toContain(incremental.code);
    const tables = await query(
      server,
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = '${name}' AND TABLE_TYPE = 'BASE TABLE'`,
    );
    let rows = 0;
    for (const { name: table } of tables) {
      const [counted] = await query(server, `SELECT COUNT(*) AS n FROM \`${String(table)}\``, name);
      rows += Number(counted?.['n']);
    }
    const drill = await space.run(['drill']);
    expect([0, 3], drill.stderr).toContain(drill.code);
    expect(drill.stdout).toContain('Recovery drill of ');
    expect(drill.stdout).toMatch(/: backups\/incremental\/incremental_\S+\.sql\.gz\n/);
    expect(drill.stdout).toContain(`✓ ${tables.length} tables and ${rows} rows, `);
    expect(await query(server, `SHOW DATABASES LIKE '${name}\\_%'`)).toEqual([]);
    const { found } = await statusOf(space);
    expect(found.findings.find(({ topic }) => topic === 'recovery drill')?.text).toMatch(
      /^a recovery takes about/,
    );
  });

  it('fails a drill with a damaged backup, and says so until a new one', async () => {
    const server = await sharedServer(flavour);
    const { name } = await createLibrary(server, { books: 200 });
    const space = await createWorkspace(server, name);
    workspace = space;
    expect((await space.run(['full'])).code).toBe(0);
    const [file = ''] = await space.finished();
    const path = join(space.backups, file);
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const failed = await space.run(['drill', path]);
    expect(failed.code).toBe(4);
    expect(failed.stderr).toContain('error DAMAGED');
    const after = await statusOf(space);
    expect(attention(after.found)).toEqual(['newest proof', 'last runs']);
    expect((await space.run(['full'])).code).toBe(0);
    expect((await space.run(['drill'])).code).toBe(0);
    expect((await statusOf(space)).code).toBe(0);
    await rm(path);
    expect(attention((await statusOf(space)).found)).toEqual(['newest backup']);
  });
});

it('tells of backups also while the server is down', async () => {
  const server = { host: '127.0.0.1', port: 1, user: 'root', password: 'x' } as const;
  const space = await createWorkspace(server, 'nowhere');
  workspace = space;
  const status = await space.run(['status']);
  expect(status.code).toBe(3);
  expect(status.stdout).toMatch(/! set aside +cannot connect to 127\.0\.0\.1:1/);
  expect(status.stdout).toContain('next: npx reshelve full');
});
