// `npm test`, `npm run demo` and `npm run bench` start here, so that each works as the first
// command after `git clone`: it installs the dependencies and builds, then runs the real thing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, mkdirSync, writeFileSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Reshelve needs Node.js 20.19 or later but found ${process.versions.node}.`);
  process.exit(2);
}

function step(title, command, args) {
  console.log(`> ${title}`);
  const result = spawnSync(command, args, { stdio: 'inherit' });
  if (result.status !== 0) {
    console.error(`> ${title}: failed`);
    process.exit(result.status ?? 1);
  }
}

function installDependencies() {
  const lock = readFileSync('package-lock.json', 'utf8');
  const stamp = 'node_modules/.reshelve-lock';
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  step('installing dependencies', 'npm', ['ci', '--no-audit', '--no-fund']);
  mkdirSync('node_modules', { recursive: true });
  writeFileSync(stamp, lock);
}

const [task, ...rest] = process.argv.slice(2);
installDependencies();
step('building', process.execPath, ['scripts/build.mjs']);
const node = process.execPath;
if (task === 'test') {
  step('running the tests', node, ['node_modules/vitest/vitest.mjs', 'run', ...rest]);
} else if (task === 'demo') {
  step('demo', node, ['dist/demo/main.js', ...rest]);
} else if (task === 'bench') {
  step('bench', node, ['dist/bench/main.js', ...rest]);
} else {
  console.error(`unknown task ${String(task)}: expected test, demo or bench`);
  process.exit(2);
}
