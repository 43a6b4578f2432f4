/**
 * Goal: rows of 20 MB cost no more memory than DESIGN allows, however many connections read and send
 * them. Method: the high-water mark that the built program itself reports when it ends.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Workspace } from '../support/cli.js';
import { createWorkspace } from '../support/cli.js';
import { createDatabase, query, sharedServer } from '../support/servers.js';

const ROWS = 12;
const LIMIT_MEGABYTES = 300;

/** Base64 text does not shrink to nothing, and binary values need escapes. */
const TABLES = { TEXTS: 'LONGTEXT', BLOBS: 'LONGBLOB' };
const VALUES = {
  TEXTS: 'REPEAT(CONCAT(SHA2(n, 512), TO_BASE64(RANDOM_BYTES(1024))), 14000)',
  BLOBS: 'REPEAT(CONCAT(UNHEX(SHA2(n, 512)), RANDOM_BYTES(1024)), 19000)',
};

it('full, verify and restore stay below 300 MB with rows of 20 MB on 4 connections', async () => {
  const server = await sharedServer('mysql');
  const database = await createDatabase(server, 'huge');
  const copy = await createDatabase(server, 'huge_copy');
  for (const name of ['TEXTS', 'BLOBS'] as const) {
    await query(
      server,
      `CREATE TABLE ${name} (id INT PRIMARY KEY, value ${TABLES[name]} NOT NULL)`,
      database.name,
    );
    for (let id = 1; id <= ROWS / 2; id += 1) {
      await query(
        server,
        `INSERT INTO ${name} SELECT n, LEFT(${VALUES[name]}, 20000000) FROM (SELECT ${id} AS n) AS one`,
        database.name,
      );
    }
  }
  const workspace = await createWorkspace(server, database.name, { BACKUP_THREADS: '4' });
  try {
    const peaks: Record<string, number> = {};
    for (const command of [
      'full',
      'verify --quick',
      'verify',
      `restore --yes --into ${copy.name}`,
    ]) {
      peaks[command] = await peakOf(workspace, command.split(' '));
    }
    const [highest = 0] = Object.values(peaks).sort((left, right) => right - left);
    expect(highest, JSON.stringify(peaks)).toBeLessThan(LIMIT_MEGABYTES);
    // A figure that is not there, or of another process, would prove nothing.
    expect(Math.min(...Object.values(peaks)), JSON.stringify(peaks)).toBeGreaterThan(60);
    const [difference] = await query(
      server,
      `SELECT COUNT(*) AS same FROM TEXTS JOIN ${copy.name}.TEXTS AS other USING (id)
       WHERE TEXTS.value = other.value COLLATE utf8mb4_bin`,
      database.name,
    );
    expect(difference?.['same']).toBe(ROWS / 2);
  } finally {
    await workspace.remove();
  }
}, 300_000);

/** Resident megabytes at the most. */
async function peakOf(workspace: Workspace, args: readonly string[]): Promise<number> {
  const file = join(workspace.directory, 'peak');
  const hook = `import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync(process.env.PEAK_FILE,String(process.resourceUsage().maxRSS)))`;
  const result = await workspace.run(args, {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
    PEAK_FILE: file,
  });
  expect(result.code, result.stderr).toBe(0);
  return Number(await readFile(file, 'utf8')) / 1000;
}
