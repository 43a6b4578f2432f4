// Fetches the servers and tools that the tests use before the first test starts, so that a slow
// mirror shows as progress here and does not eat a test's time limit.
import { pathToFileURL } from 'node:url';

const TOOLS = ['mydumper', 'pigz', 'igzip'];

/** What cannot be had is told and left to the tests that need it: most of them need no server. */
export async function prepareServers() {
  const sandbox = await import(pathToFileURL('dist/sandbox/index.js').href);
  console.log('> preparing servers');
  for (const ensure of [sandbox.ensureMysql, sandbox.ensureMariadb]) {
    await attempt(async () => {
      const { flavour, version } = await ensure(tell);
      tell(`${flavour} ${version} is ready`);
    });
  }
  for (const name of TOOLS) await attempt(() => sandbox.ensureTool(name, tell));
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    console.error(`  ${error.message}`);
    console.error('  The tests that need it will fail.');
  }
}

function tell(line) {
  console.log(`  ${line}`);
}
