/** The line that the CI ends with: counted from the report, and never better than the run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './readme.js';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const GOOD: Report = {
  numPassedTests: 7,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] }],
};

function summarize(
  report: Report | undefined,
  exitCode: number,
): { code: number | null; last: string } {
  const folder = mkdtempSync(join(tmpdir(), 'reshelve-ci-'));
  try {
    const file = join(folder, 'tests.json');
    if (report !== undefined) writeFileSync(file, JSON.stringify(report));
    const script = join(ROOT, 'scripts/test-summary.mjs');
    const args = [script, file, String(exitCode)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { code: status, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each([
  ['all passed', GOOD, 0, 0, '7 passed, 0 failed'],
  ['some failed', { ...GOOD, numFailedTests: 2 }, 1, 1, '7 passed, 2 failed'],
  ['an error outside of any test', GOOD, 1, 1, '7 passed, 1 failed'],
  ['no test ran', { ...GOOD, numPassedTests: 0 }, 0, 1, '0 passed, 0 failed'],
  ['no report', undefined, 1, 1, '0 passed, 1 failed'],
  [
    'a file that did not load',
    { ...GOOD, testResults: [{ name: 'b', status: 'failed', assertionResults: [] }] },
    ...[1, 1, '7 passed, 1 failed'],
  ],
] as const)('%s', (_title, report, exitCode, code, last) => {
  expect(summarize(report, exitCode)).toEqual({ code, last });
});
