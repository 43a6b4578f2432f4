// Prints `N passed, N failed` from the test runner's own JSON report. The exit code is 1 where
// something failed, or where nothing passed: a run without tests proves nothing.
// Arguments: the report and the exit code of the run that wrote it.
import { readFileSync } from 'node:fs';

const { passed, failed, notes } = summarize(process.argv[2], Number(process.argv[3]));
for (const note of notes) console.log(note);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function summarize(file, exitCode) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { passed: 0, failed: 1, notes: [`the tests gave no result: ${error.message}`] };
  }
  const notes = [];
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) notes.push(`${skipped} skipped`);
  // A file that cannot be loaded, or whose set-up fails, has no failed test of its own.
  const unloaded = report.testResults.filter(
    (one) =>
      one.status === 'failed' && one.assertionResults.every((test) => test.status !== 'failed'),
  );
  for (const one of unloaded) notes.push(`failed as a whole: ${one.name}`);
  let failed = report.numFailedTests + unloaded.length;
  if (failed === 0 && exitCode !== 0) {
    // An error outside of any test: an unhandled rejection, the global set-up, a time limit.
    notes.push(`the run as a whole failed with exit code ${exitCode}`);
    failed = 1;
  }
  return { passed: report.numPassedTests, failed, notes };
}
