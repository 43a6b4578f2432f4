// `npm test`, `npm run demo` and `npm run bench` start here, so that each works as the first
// command after `git clone`: it installs the dependencies, builds, and then runs the real thing.
// It uses nothing but Node.js itself, as nothing else is there yet.
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dependenciesAreInstalled } from './dependencies.mjs';
import { prepareServers } from './prepare-servers.mjs';
import { runProgram } from './run-program.mjs';

const TASKS = {
  test: { title: 'running the tests', program: ['node_modules/vitest/vitest.mjs', 'run'] },
  demo: { title: 'demo', program: ['dist/demo/main.js'] },
  bench: { title: 'bench', program: ['dist/bench/main.js'] },
};

const [name, ...rest] = process.argv.slice(2);
const task = TASKS[name];
if (task === undefined) {
  console.error(`unknown task ${String(name)}: expected ${Object.keys(TASKS).join(', ')}`);
  process.exit(2);
}
requireNode(20, 19);
process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

if (!dependenciesAreInstalled()) {
  await step('installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund']);
}
await step('building', process.execPath, ['scripts/build.mjs']);
if (name === 'test') await prepareServers();
await step(task.title, process.execPath, [...task.program, ...rest, ...reporters()]);

/** Runs one step; where it fails, this process ends as it did. */
async function step(title, command, args) {
  console.log(`> ${title}`);
  const { code, signal } = await runProgram(command, args);
  if (code === 0) return;
  const ending = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  console.error(`> ${title}: failed (${ending})`);
  process.exit(signal === null ? code : 128 + constants.signals[signal]);
}

/** The CI also wants the result as a file, to count from. */
function reporters() {
  const file = process.env.RESHELVE_TEST_RESULTS;
  if (name !== 'test' || file === undefined || file === '') return [];
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
}

function requireNode(majorMin, minorMin) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  console.error(
    `Reshelve needs Node.js ${majorMin}.${minorMin} or later but found ${process.versions.node}.`,
  );
  process.exit(2);
}
