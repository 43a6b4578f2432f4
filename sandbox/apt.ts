import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError } from './errors.js';
import { onPath, runChecked, type Log } from './run.js';

const ATTEMPTS_MAX = 3;
const APT_TIMEOUT_MS = 5 * 60_000;

/** Where to take packages from: `sid`, or the release that this machine runs. */
export type Suite = 'sid' | 'own-release';

/**
 * Fetches Debian packages with all they depend on and unpacks them into `folder`, without root and
 * without touching the system's apt: lists, caches and sources are private and removed afterwards,
 * and the empty dpkg status makes apt choose every library down to libc, so that the result never
 * mixes with the machine's own libraries.
 *
 * Signatures are checked against the machine's own Debian keys.
 *
 * @returns `name version` of each package that was unpacked.
 * @throws SandboxError where apt is missing, the machine is not Debian, or the mirror does not
 * answer in a bounded number of attempts.
 */
export async function unpackPackages(
  folder: string,
  suite: Suite,
  names: readonly string[],
  log: Log,
): Promise<string[]> {
  const sources = await sourceLines(suite);
  for (let attempt = 1; ; attempt += 1) {
    const state = join(folder, '.apt');
    try {
      return await fetchAndUnpack(folder, state, sources, names, log);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !(error instanceof SandboxError)) throw error;
      log(`fetching ${names.join(', ')} failed (${error.message}); trying again`);
      await delay(attempt * 3000);
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  }
}

async function fetchAndUnpack(
  folder: string,
  state: string,
  sources: string,
  names: readonly string[],
  log: Log,
): Promise<string[]> {
  const env = await createState(state, sources);
  const options = { env, timeoutMs: APT_TIMEOUT_MS };
  log('reading the package lists');
  await runChecked('apt-get', ['-qq', 'update', '-o', 'APT::Update::Error-Mode=any'], options);
  const packages = await withDependencies(names, env);
  log(`downloading ${names.join(', ')} (${packages.length} packages)`);
  const debs = join(state, 'debs');
  await runChecked('apt-get', ['-qq', 'download', ...packages.map((one) => one.name)], {
    ...options,
    cwd: debs,
  });
  log('unpacking');
  for (const file of await readdir(debs)) {
    await runChecked('dpkg', ['-x', join(debs, file), folder], options);
  }
  return packages.map((one) => `${one.name} ${one.version}`);
}

interface Package {
  readonly name: string;
  readonly version: string;
}

/** Pulled in for maintainer scripts and for tools written in Perl; the servers run without. */
const NOT_NEEDED = /^(perl.*|libperl.*|lib.*-perl|libgdbm.*|dpkg|tar|debianutils|debconf.*)$/;

async function withDependencies(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Package[]> {
  const args = ['-s', '--no-install-recommends', 'install', ...names];
  const { stdout } = await runChecked('apt-get', args, { env, timeoutMs: APT_TIMEOUT_MS });
  const packages: Package[] = [];
  for (const match of stdout.toString('utf8').matchAll(/^Inst (\S+) \((\S+)/gm)) {
    const [, name = '', version = ''] = match;
    if (!NOT_NEEDED.test(name)) packages.push({ name, version });
  }
  return packages;
}

/** Writes the private apt configuration and gives the environment that makes apt use it. */
async function createState(state: string, sources: string): Promise<NodeJS.ProcessEnv> {
  await rm(state, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'cache/archives/partial', 'parts', 'debs']) {
    await mkdir(join(state, folder), { recursive: true, mode: 0o700 });
  }
  await writeFile(join(state, 'status'), '');
  await writeFile(join(state, 'main.conf'), '');
  await writeFile(join(state, 'sources.list'), sources);
  const setting = (name: string, value: string): string => `${name} "${value}";\n`;
  const configuration =
    (await acquireSettings()) +
    setting('Dir::State', state) +
    setting('Dir::State::lists', join(state, 'lists')) +
    setting('Dir::State::status', join(state, 'status')) +
    setting('Dir::Cache', join(state, 'cache')) +
    setting('Dir::Etc::main', join(state, 'main.conf')) +
    // The machine's own parts hold hooks that would clean the machine's own caches.
    setting('Dir::Etc::parts', join(state, 'parts')) +
    setting('Dir::Etc::sourcelist', join(state, 'sources.list')) +
    setting('Dir::Etc::sourceparts', join(state, 'parts')) +
    setting('Dir::Etc::preferences', join(state, 'main.conf')) +
    setting('Dir::Etc::preferencesparts', join(state, 'parts')) +
    // As root apt would drop to the user _apt, who cannot write here.
    setting('APT::Sandbox::User', 'root') +
    setting('Acquire::Languages', 'none') +
    setting('Acquire::Retries', '3') +
    setting('Acquire::http::Timeout', '30') +
    setting('Acquire::https::Timeout', '30');
  // A proxy's address may hold a password.
  await writeFile(join(state, 'apt.conf'), configuration, { mode: 0o600 });
  return { ...process.env, LC_ALL: 'C', APT_CONFIG: join(state, 'apt.conf') };
}

/** The machine's own way to the network (proxies, certificates, date checks). */
async function acquireSettings(): Promise<string> {
  const { stdout } = await runChecked('apt-config', ['dump'], { timeoutMs: 30_000 });
  const lines = stdout.toString('utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('Acquire::') && !line.startsWith('Acquire::Languages'))
    .map((line) => `${line}\n`)
    .join('');
}

interface IndexTarget {
  readonly repository: string;
  readonly release: string;
  readonly origin: string;
}

const TARGET_FORMAT = '$(CREATED_BY)|$(COMPONENT)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)';

/** Debian's repositories among those the machine's apt reads, as apt itself tells it. */
async function debianTargets(): Promise<IndexTarget[]> {
  const known = (await indexTargets()).filter((target) => target.origin === 'Debian');
  if (known.length > 0) return known;
  // Before the machine's first `apt-get update`, apt does not know who is behind an address and
  // lists its targets only when asked to do without that.
  const unknown = await indexTargets('--no-release-info');
  return unknown.filter((target) => target.repository.includes('debian'));
}

async function indexTargets(...options: string[]): Promise<IndexTarget[]> {
  const args = ['indextargets', '--format', TARGET_FORMAT, ...options];
  const { stdout } = await runChecked('apt-get', args, { timeoutMs: 30_000 });
  const targets = new Map<string, IndexTarget>();
  // One line for each architecture, `all` among them.
  for (const line of stdout.toString('utf8').split('\n')) {
    const [by, component, origin = '', repository = '', release = ''] = line.split('|');
    if (by === 'Packages' && component === 'main') {
      targets.set(line, { repository, release, origin });
    }
  }
  return [...targets.values()];
}

async function sourceLines(suite: Suite): Promise<string> {
  await expectDebian();
  const targets = await debianTargets();
  const mirror = targets.find((target) => !/security|backports/.test(target.repository));
  if (mirror === undefined) {
    throw new SandboxError('expected an apt source with Debian packages but found none');
  }
  const key = KEYRINGS.find((path) => existsSync(path));
  const deb = key === undefined ? 'deb' : `deb [signed-by=${key}]`;
  if (suite === 'sid') return `${deb} ${mirror.repository} sid main\n`;
  return targets
    .filter((target) => !target.release.includes('backports'))
    .map((target) => `${deb} ${target.repository} ${target.release} main\n`)
    .join('');
}

/** Newer releases no longer trust Debian's keys for every source, so the file is named. */
const KEYRINGS = ['gpg', 'pgp'].map((end) => `/usr/share/keyrings/debian-archive-keyring.${end}`);

async function expectDebian(): Promise<void> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const id = /^ID="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform;
  if (id !== 'debian') {
    throw new SandboxError(`packages can be fetched on Debian only, and this is ${id}`);
  }
  for (const program of ['apt-get', 'dpkg']) {
    if (onPath(program) === undefined) throw new SandboxError(`${program} is not installed`);
  }
}
