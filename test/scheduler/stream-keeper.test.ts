/** Continuous capture inside of the scheduler, with captures that end as the test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/store.js';
import { loadConfiguration } from '../../src/config/load.js';
import { ReshelveError } from '../../src/errors.js';
import type { Output } from '../../src/operations/context.js';
import type { StreamOptions } from '../../src/operations/stream.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import type { SchedulerEvent } from '../../src/scheduler/slot.js';
import { entryOf } from '../catalog/support.js';

const SILENT: Output = { line: () => undefined, warn: () => undefined, progress: () => undefined };
const STOPPED = new ReshelveError('INTERRUPTED', 'the scheduler was stopped by the test');
const GAP = new ReshelveError('CHAIN_GAP', 'no incremental can follow: the log was purged');

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reshelve-keeper-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

type Capture = (options: StreamOptions) => Promise<void>;

/** Lasts until it is told to stop. */
const untilStopped: Capture = ({ stop }) =>
  new Promise((resolve) => {
    stop.addEventListener('abort', () => {
      resolve();
    });
  });

/** A scheduler whose captures are these, one after the other; what it ran is in `story`. */
function startScheduler(captures: Capture[]): {
  readonly scheduler: Scheduler;
  readonly story: string[];
  readonly events: SchedulerEvent[];
} {
  const story: string[] = [];
  const events: SchedulerEvent[] = [];
  const environment = {
    BACKUP_DIR: directory,
    BACKUP_STREAM: 'on',
    BACKUP_INCREMENTAL_CRON_SCHEDULE: '* * * * *',
  };
  const scheduler = new Scheduler({
    context: {
      configuration: loadConfiguration({ cwd: directory, environment }),
      catalog: openCatalog(directory),
      output: SILENT,
      now: () => new Date(),
    },
    report: (event) => events.push(event),
    startCron: ({ expression }) => {
      story.push(`cron ${expression}`);
      return { nextSlot: () => new Date(Date.now() + 3600_000), stop: () => undefined };
    },
    backUp: () => {
      story.push('full');
      const retention = { kept: [], removed: [] };
      return Promise.resolve({ entry: entryOf(), file: 'x', notes: [], retention, warnings: [] });
    },
    proveChain: () => Promise.resolve(undefined),
    backUpChanges: () => {
      story.push('incremental');
      return Promise.reject(GAP);
    },
    capture: async (_context, options) => {
      story.push('capture');
      await (captures.shift() ?? untilStopped)(options);
    },
  });
  scheduler.start();
  return { scheduler, story, events };
}

async function until(isReached: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1000 && !isReached(); attempt += 1) await delay(10);
  expect(isReached()).toBe(true);
}

test('it captures instead of incrementals in slots, and a stop ends it in good order', async () => {
  const { scheduler, story, events } = startScheduler([]);
  await until(() => story.includes('capture'));
  expect(await scheduler.stop(STOPPED, 25_000)).toBe('idle');
  expect(story).toEqual(['cron 0 2 * * *', 'capture']);
  expect(events.map(({ kind }) => kind)).toEqual(['next']);
});

test('a gap is closed by a full backup, and the capture begins again at once', async () => {
  const { scheduler, story, events } = startScheduler([() => Promise.reject(GAP)]);
  await until(() => story.filter((step) => step === 'capture').length === 2);
  expect(await scheduler.stop(STOPPED, 25_000)).toBe('idle');
  expect(story.slice(1)).toEqual(['capture', 'incremental', 'full', 'capture']);
  expect(events.map(({ kind }) => kind)).toEqual([
    'next',
    'stream-ended',
    'started',
    'gap',
    'saved',
    'next',
  ]);
});

test('another end makes no backup, and is tried again after a pause', async () => {
  const error = new ReshelveError('DISK_FULL', 'no space left');
  const { scheduler, story, events } = startScheduler([() => Promise.reject(error)]);
  await until(() => events.some(({ kind }) => kind === 'stream-ended'));
  expect(events.at(-1)).toMatchObject({ kind: 'stream-ended', error, isGap: false, waitMs: 5000 });
  expect(await scheduler.stop(STOPPED, 25_000)).toBe('idle');
  expect(story.slice(1)).toEqual(['capture']);
});
