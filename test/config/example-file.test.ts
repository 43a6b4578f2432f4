/** .env.example, the table of settings and the README name the same settings with the same defaults. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.js';
import { fallbackOf, isSecret, SETTING_NAMES } from '../../src/config/settings.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const EXAMPLE = join(ROOT, '.env.example');

const example = new Map(
  [...readFileSync(EXAMPLE, 'utf8').matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(
    ([, commented, name = '', value = '']) => [name, { value, isSet: commented === undefined }],
  ),
);

test('every setting is in .env.example and nothing else is', () => {
  const secretFiles = SETTING_NAMES.filter(isSecret).map((name) => `${name}_FILE`);
  const named = [...example.keys()].filter((name) => !secretFiles.includes(name));
  expect(named.sort()).toEqual([...SETTING_NAMES].sort());
  const text = readFileSync(EXAMPLE, 'utf8');
  for (const file of secretFiles) expect(text).toContain(file);
});

test('where a setting has a default, the example shows it', () => {
  for (const name of SETTING_NAMES) {
    const fallback = fallbackOf(name);
    if (fallback === undefined) continue;
    expect([name, example.get(name)?.value]).toEqual([name, fallback]);
  }
});

test('as it is, it loads without a mistake or a warning', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'reshelve-example-'));
  copyFileSync(EXAMPLE, join(cwd, '.env'));
  const configuration = loadConfiguration({ cwd, environment: {} });
  rmSync(cwd, { recursive: true });
  expect(configuration.warnings).toEqual([]);
  const defaults = loadConfiguration({ cwd: '/nonexistent', environment: {} });
  expect({ ...defaults.backup, directory: join(cwd, 'backups') }).toEqual(configuration.backup);
  expect(configuration.databaseName).toBe('LibraryDB');
});

test.runIf(existsSync(join(ROOT, 'README.md')))('the README names no setting that is not', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const known = new Set<string>(SETTING_NAMES.flatMap((name) => [name, `${name}_FILE`]));
  known.add('BACKUP_ADMIN'); // a privilege of MySQL
  const named = [...readme.matchAll(/\b(?:BACKUP|DB|VERIFY_DB)_[A-Z_]*[A-Z]\b/g)].map(
    ([name]) => name,
  );
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
