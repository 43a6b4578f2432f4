/** The lines of `status`: each a judgement over the facts, to be extended by adding one. */
import type { CatalogEntry, RunType } from '../../catalog/records.js';
import { ReshelveError } from '../../errors.js';
import { judgeChain, judgeStream } from './status-chain.js';
import { age, attention, backupsOf, ok } from './status-finding.js';
import type { StatusFacts, StatusFinding } from './status-finding.js';

const DAY_MS = 24 * 3600 * 1000;
/** Test restores come once a month; a proof that is older missed one. */
const PROOF_AGE_MS_MAX = 35 * DAY_MS;
/** Drills come once a quarter. */
const DRILL_AGE_MS_MAX = 100 * DAY_MS;

type Judge = (facts: StatusFacts) => StatusFinding[];

/** In the order in which they are printed. */
const JUDGES: readonly Judge[] = [
  judgeRecovery,
  judgeCatalog,
  judgeNewest,
  judgeProof,
  judgeChainProof,
  judgeChain,
  judgeStream,
  judgeRuns,
  judgeDrill,
  judgeSchedule,
  judgeSetAside,
  judgeDisk,
];

export function judgeStatus(facts: StatusFacts): StatusFinding[] {
  return JUDGES.flatMap((judge) => judge(facts));
}

/** First, because nothing else writes until it is finished; old tables that are kept are no trouble. */
function judgeRecovery({ unfinished }: StatusFacts): StatusFinding[] {
  return unfinished
    .filter(({ phase }) => phase !== 'kept')
    .map(({ message, commands, phase }) =>
      phase === 'unchanged'
        ? ok('recovery', message, commands)
        : attention('recovery', message, commands),
    );
}

function judgeCatalog({ catalogProblem }: StatusFacts): StatusFinding[] {
  if (catalogProblem === undefined) return [];
  return [attention('last runs', catalogProblem.message, 'npx reshelve catalog rebuild')];
}

function judgeNewest(facts: StatusFacts): StatusFinding[] {
  const newest = backupsOf(facts).at(-1);
  const missing = facts.entries.filter((entry) => isMissing(facts, entry)).length;
  const lost =
    missing === 0
      ? []
      : [
          attention(
            'newest backup',
            `${missing} listed ${missing === 1 ? 'backup is' : 'backups are'} not in ${facts.directoryShown}`,
            'npx reshelve list',
          ),
        ];
  if (newest === undefined) {
    const text = `there is no backup of ${facts.database} in ${facts.directoryShown}`;
    return [attention('newest backup', text, 'npx reshelve full'), ...lost];
  }
  const text = `${newest.file ?? ''}, ${age(since(facts, newest.startedAt))} old`;
  return [isTooOld(facts, newest) ? tooOld(text) : ok('newest backup', text), ...lost];
}

function tooOld(text: string): StatusFinding {
  return attention(
    'newest backup',
    `${text}, more than two intervals of BACKUP_CRON_SCHEDULE`,
    'npx reshelve full',
  );
}

function isTooOld(facts: StatusFacts, newest: CatalogEntry): boolean {
  if (facts.schedule instanceof ReshelveError) return false;
  return since(facts, newest.startedAt) > 2 * facts.schedule.intervalMs;
}

function isMissing(facts: StatusFacts, entry: CatalogEntry): boolean {
  const { type, status, file, removedAt, database } = entry;
  if (type !== 'full' && type !== 'incremental') return false;
  if (status === 'failed' || file === null || removedAt !== undefined) return false;
  return database === facts.database && !facts.existingFiles.has(file);
}

/** The newest backup must not have failed its proof, and some proof must be young. */
function judgeProof(facts: StatusFacts): StatusFinding[] {
  const backups = backupsOf(facts);
  const newest = backups.at(-1);
  if (newest === undefined) return [];
  if (newest.verification?.status === 'failed') {
    const text = `${newest.file ?? ''} failed its verification`;
    return [attention('newest proof', text, 'npx reshelve full')];
  }
  const proven = backups.findLast(
    ({ verification }) => verification?.status === 'success' && verification.method === 'restore',
  );
  if (proven?.verifiedAt === undefined) {
    const text = 'no backup was ever proven by a test restore';
    return [attention('newest proof', text, 'npx reshelve verify')];
  }
  const ageMs = since(facts, proven.verifiedAt);
  const which = proven.id === newest.id ? 'the newest backup' : (proven.file ?? '');
  const text = `${which}, proven by a test restore ${age(ageMs)} ago`;
  return [
    ageMs > PROOF_AGE_MS_MAX
      ? attention('newest proof', text, 'npx reshelve verify')
      : ok('newest proof', text),
  ];
}

/** How far the incrementals have given what a later full backup holds. */
function judgeChainProof(facts: StatusFacts): StatusFinding[] {
  const own = facts.entries.filter(({ database }) => database === facts.database);
  const proof = own.findLast(({ chainProof }) => chainProof !== undefined)?.chainProof;
  if (proof === undefined) return [];
  const by = own.find(({ id }) => id === proof.byId)?.file ?? 'a full backup that is gone';
  const text = `every change up to ${proof.until} is in the incrementals, proven by ${by}`;
  return [ok('last chain', text)];
}

const NEXT_COMMAND: Readonly<Record<RunType, string>> = {
  full: 'npx reshelve full',
  incremental: 'npx reshelve incremental',
  verify: 'npx reshelve verify',
  restore: 'npx reshelve list --all',
  recover: 'npx reshelve list --all',
  undo: 'npx reshelve events',
  prune: 'npx reshelve list --all',
  offsite: 'npx reshelve list --all',
};

/** Of each kind of run the last one counts: what has worked since is no longer a failure. */
function judgeRuns(facts: StatusFacts): StatusFinding[] {
  // An undo that was refused leaves nothing to be done.
  const own = facts.entries.filter(
    ({ database, type }) => database === facts.database && type !== 'undo',
  );
  const last = new Map(own.map((entry) => [entry.type, entry]));
  const failures = [...last.values()].filter(({ status }) => status === 'failed');
  if (own.length === 0) return [];
  if (failures.length === 0) return [ok('last runs', 'none failed')];
  return failures.map((entry) =>
    attention(
      'last runs',
      `the last ${entry.type} failed ${age(since(facts, entry.finishedAt))} ago: ` +
        `${entry.error?.code ?? ''}: ${entry.error?.message ?? ''}`,
      NEXT_COMMAND[entry.type],
    ),
  );
}

/** Says the measured recovery time; that there is none yet is no failure of the backups. */
function judgeDrill(facts: StatusFacts): StatusFinding[] {
  const last = facts.entries.findLast(
    ({ drill, status, database }) =>
      drill !== undefined && status !== 'failed' && database === facts.database,
  );
  if (last?.drill === undefined) {
    return [ok('recovery drill', 'none yet, so how long a recovery takes is not known', DRILL)];
  }
  const ageMs = since(facts, last.finishedAt);
  const seconds = (last.drill.expectedMs / 1000).toFixed(1);
  const text = `a recovery takes about ${seconds} s, measured ${age(ageMs)} ago`;
  return [
    ageMs > DRILL_AGE_MS_MAX ? ok('recovery drill', text, DRILL) : ok('recovery drill', text),
  ];
}

const DRILL = 'npx reshelve drill';

function judgeSchedule({ schedule }: StatusFacts): StatusFinding[] {
  if (schedule instanceof ReshelveError) {
    return [attention('next run', schedule.message, schedule.hint)];
  }
  const { expression, next, incremental } = schedule;
  const also =
    incremental === undefined
      ? ''
      : `; incremental ${incremental.next.toISOString()} as ${incremental.expression} says`;
  const text = `${next.toISOString()} as ${expression} says${also}, if the scheduler runs`;
  return [ok('next run', text)];
}

function judgeSetAside({ setAside }: StatusFacts): StatusFinding[] {
  if (setAside instanceof ReshelveError) {
    return [attention('set aside', setAside.message, 'npx reshelve doctor')];
  }
  return setAside.map(({ name, role }) => {
    if (role === 'before') {
      const text = `${name} holds the tables as they were before the online recovery`;
      return ok('set aside', text, FINISH);
    }
    if (role === 'undone') {
      return ok('set aside', `${name} holds what an undone recovery had brought`, FINISH);
    }
    return ok('set aside', `${name} is the copy of an online recovery`, 'npx reshelve recover');
  });
}

const FINISH = 'npx reshelve recover --finish';

function judgeDisk(facts: StatusFacts): StatusFinding[] {
  const { freeBytes, directoryShown } = facts;
  if (freeBytes === undefined) return [];
  const last = backupsOf(facts).findLast(({ type }) => type === 'full')?.sizeBytes ?? 0;
  const text = `${gigabytes(freeBytes)} free in ${directoryShown}, the last full backup took ${gigabytes(last)}`;
  return [
    freeBytes < last * 2
      ? attention('disk', text, `free space there, or set BACKUP_DIR (df -h ${directoryShown})`)
      : ok('disk', text),
  ];
}

function gigabytes(bytes: number): string {
  return bytes < 1024 ** 3
    ? `${(bytes / 1024 ** 2).toFixed(1)} MB`
    : `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

function since(facts: StatusFacts, instant: string): number {
  return facts.now.getTime() - Date.parse(instant);
}
