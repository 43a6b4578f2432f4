/** What the README names exists: commands, options, scripts, settings, links, figures. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SETTING_NAMES } from '../../src/config/settings.js';
import { EXIT } from '../../src/errors.js';
import {
  codeBlocks,
  commandLines,
  onlyBlock,
  readDocument,
  reshelveCalls,
  ROOT,
} from './readme.js';

const README = readDocument('README.md');
const DOCUMENTS = [
  'README.md',
  'docs/ARCHITECTURE.md',
  'docs/ERRORS.md',
  'docs/FORMAT.md',
  'docs/RECOVERY.md',
];
const PROGRAM = resolve(process.env['RESHELVE_DIST'] ?? 'dist', 'src/cli/main.js');

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readDocument('package.json')) as Manifest;
const scripts = JSON.parse(onlyBlock(README, 'json')) as Manifest;

const helpTexts = new Map<string, string>();

function help(...verb: readonly string[]): string {
  const key = verb.join();
  const text =
    helpTexts.get(key) ??
    execFileSync(process.execPath, [PROGRAM, ...verb, '--help'], { encoding: 'utf8' });
  helpTexts.set(key, text);
  return text;
}

const verbs = [...help().matchAll(/^ {2}([a-z]+)\b(?= )/gm)]
  .map(([, verb = '']) => verb)
  .filter((verb) => verb !== 'help');

test('the program has the verbs that the README names, and no other', () => {
  const named = new Set(reshelveCalls(README).map(({ verb }) => verb));
  expect([...named].sort()).toEqual([...verbs].sort());
});

test.each(reshelveCalls(README).filter(({ flags }) => flags.length > 0))(
  'reshelve $verb knows $flags',
  ({ verb, flags }) => {
    const known = help(verb) + help();
    for (const flag of flags) expect(known).toContain(flag);
  },
);

test('every npm script that the README names exists', () => {
  const named = commandLines(README).flatMap((line) => {
    const [, script] = /^npm (?:run )?(test|[a-z]+(?::[a-z]+)*)(?: |$)/.exec(line) ?? [];
    return script === undefined || script === 'install' ? [] : [script];
  });
  expect(named).toContain('demo');
  const known = new Set([
    ...Object.keys(manifest.scripts),
    ...Object.keys(scripts.scripts),
    'ci',
    'pack',
  ]);
  expect(named.filter((script) => !known.has(script))).toEqual([]);
});

test('the scripts to add are this package’s own', () => {
  for (const [name, command] of Object.entries(scripts.scripts)) {
    const verb = command.replace('reshelve ', '');
    expect(manifest.scripts[name]).toBe(`node dist/src/cli/main.js ${verb}`);
    expect(verbs).toContain(verb);
  }
  expect(manifest.bin).toEqual({ reshelve: 'dist/src/cli/main.js' });
});

test('the settings of the .env file exist', () => {
  const names = [...onlyBlock(README, 'env').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !SETTING_NAMES.some((known) => known === name))).toEqual([]);
});

test('the exit codes are those of the table', () => {
  const [, text = ''] = /Exit codes: ([^;]+);/.exec(README) ?? [];
  const codes = [...text.matchAll(/\d+/g)].map(([code]) => Number(code));
  expect(codes.length).toBeGreaterThan(5);
  expect(codes.filter((code) => !Object.values(EXIT).some((known) => known === code))).toEqual([]);
});

describe.each(DOCUMENTS)('%s', (name) => {
  test('links lead to files and headings that exist', () => {
    const links = [...readDocument(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((one) => !/^https?:/.test(one))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? name : join(dirname(name), path);
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readDocument(target)), link).toContain(anchor);
    }
  });
});

function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

interface BenchFile {
  readonly results: readonly {
    readonly name: string;
    readonly runs: number;
    readonly wallSeconds: number;
    readonly wallRatio: number | null;
    readonly outputMegabytes: number;
    readonly peakRssMegabytes: number;
  }[];
}

test('the figures of the comparison are those of the committed bench run', () => {
  const bench = JSON.parse(readDocument('bench/results/latest.json')) as BenchFile;
  const rows = [
    ...README.matchAll(
      /^\| `((?:[^`|\\]|\\\|)+)` \| ([\d.]+) s \| ([\d.]+) \| (\d+) MB \| (\d+) MB \|$/gm,
    ),
  ];
  expect(rows.length).toBeGreaterThanOrEqual(5);
  for (const [, cell = '', wall, ratio, file, memory] of rows) {
    // A bar inside a cell has to be escaped, also in code.
    const name = cell.replaceAll('\\|', '|');
    const result = bench.results.find((one) => one.name === name);
    expect(result, name).toBeDefined();
    expect([name, wall, ratio, file, memory]).toEqual([
      name,
      result?.wallSeconds.toFixed(1),
      result?.wallRatio?.toFixed(2),
      result?.outputMegabytes.toFixed(0),
      result?.peakRssMegabytes.toFixed(0),
    ]);
  }
});

test('each block of code says what language it is in', () => {
  for (const { language } of codeBlocks(README)) expect(language).not.toBe('');
});
