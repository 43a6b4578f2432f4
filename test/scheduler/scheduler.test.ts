/** The scheduler with a clock that fires when the test says and backups that last as long as it says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acquireDirectoryLock } from '../../src/catalog/directory-lock.js';
import type { CatalogEntry } from '../../src/catalog/records.js';
import { openCatalog } from '../../src/catalog/store.js';
import { loadConfiguration } from '../../src/config/load.js';
import { ReshelveError } from '../../src/errors.js';
import type { Context, Output } from '../../src/operations/context.js';
import type { FullBackupResult } from '../../src/operations/full-backup.js';
import type { CronHandlers } from '../../src/scheduler/cron-timer.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import type { SchedulerParts } from '../../src/scheduler/scheduler.js';
import type { SchedulerEvent } from '../../src/scheduler/slot.js';
import { entryOf } from '../catalog/support.js';

const SILENT: Output = { line: () => undefined, warn: () => undefined, progress: () => undefined };
const STOPPED = new ReshelveError('INTERRUPTED', 'the scheduler was stopped by the test');

let directory: string;
let nextId = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reshelve-scheduler-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A scheduler whose slots come when `fire` is called. */
class Bench {
  readonly events: SchedulerEvent[] = [];
  readonly scheduler: Scheduler;
  readonly contexts: Context[] = [];
  now = new Date('2026-01-02T02:00:00.000Z');
  nextSlotMs = 3600_000;
  #handlers: CronHandlers | undefined;
  isCronStopped = false;

  constructor(
    backUp: (context: Context) => Promise<FullBackupResult>,
    parts: Partial<SchedulerParts> = {},
    cronSchedule = '0 2 * * *',
  ) {
    const environment = { BACKUP_DIR: directory, BACKUP_CRON_SCHEDULE: cronSchedule };
    const configuration = loadConfiguration({ cwd: directory, environment });
    this.scheduler = new Scheduler({
      context: {
        configuration,
        catalog: openCatalog(directory),
        output: SILENT,
        now: () => this.now,
      },
      report: (event) => this.events.push(event),
      proveChain: () => Promise.resolve(undefined),
      startCron: (_schedule, handlers) => {
        this.#handlers = handlers;
        return {
          nextSlot: () => new Date(this.now.getTime() + this.nextSlotMs),
          stop: () => {
            this.isCronStopped = true;
          },
        };
      },
      backUp: (context) => {
        this.contexts.push(context);
        return backUp(context);
      },
      ...parts,
    });
    this.scheduler.start();
  }

  fire(): void {
    this.#handlers?.onSlot(this.now);
  }

  #told(): string {
    const told = this.events.map((event) =>
      event.kind === 'failed' ? `failed (${String(event.error)})` : event.kind,
    );
    return told.join(', ');
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind);
  }

  async until(kind: SchedulerEvent['kind'], count = 1): Promise<SchedulerEvent> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const found = this.events.filter((event) => event.kind === kind)[count - 1];
      if (found !== undefined) return found;
      await delay(10);
    }
    throw new Error(`expected ${count} × ${kind} but found ${this.#told()}`);
  }
}

async function succeed(context: Context): Promise<FullBackupResult> {
  nextId += 1;
  const entry: CatalogEntry = entryOf({
    id: `run-${nextId}`,
    trigger: context.trigger,
    database: context.configuration.databaseName,
    startedAt: context.now().toISOString(),
    finishedAt: context.now().toISOString(),
  });
  await context.catalog.append(entry);
  return { entry, file: 'x', notes: [], retention: { kept: [], removed: [] }, warnings: [] };
}

/** Ends with the signal's reason once it aborts, after `cleanUpMs`. */
async function lastUntilAborted(context: Context, cleanUpMs = 0): Promise<FullBackupResult> {
  await new Promise((resolve) => {
    context.signal.addEventListener('abort', resolve, { once: true });
  });
  await delay(cleanUpMs);
  throw context.signal.reason;
}

/** Waiting that is over at once, as if all the time had passed. */
const noPatience = (): Promise<void> => Promise.resolve();
const endlessPatience = (_ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(STOPPED);
    });
  });

describe('slots', () => {
  test('each gets a run, and the next one is told', async () => {
    const bench = new Bench(succeed);
    bench.fire();
    await bench.until('next', 2);
    bench.now = new Date('2026-01-03T02:00:00.000Z');
    bench.fire();
    await bench.until('next', 3);
    expect(bench.kinds()).toEqual(['next', 'started', 'saved', 'next', 'started', 'saved', 'next']);
    expect(bench.contexts.map((context) => context.trigger)).toEqual(['schedule', 'schedule']);
  });

  test('a failed run is told and the next slot comes', async () => {
    let attempt = 0;
    const bench = new Bench(async (context) => {
      attempt += 1;
      if (attempt === 1) throw new ReshelveError('CONNECT', 'cannot connect to db1:3306');
      if (attempt === 2) throw new TypeError('a defect');
      return succeed(context);
    });
    for (let slot = 1; slot <= 3; slot += 1) {
      bench.fire();
      await bench.until('next', slot + 1);
    }
    expect(bench.kinds().filter((kind) => kind !== 'next' && kind !== 'started')).toEqual([
      'failed',
      'failed',
      'saved',
    ]);
  });

  test('one during a run is passed over, and told once', async () => {
    let finish = (): void => undefined;
    const bench = new Bench(async (context) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return succeed(context);
    });
    bench.fire();
    await bench.until('started');
    bench.fire();
    bench.fire();
    finish();
    await bench.until('saved');
    expect(bench.kinds().filter((kind) => kind === 'passed-over')).toHaveLength(1);
    expect(bench.contexts).toHaveLength(1);
  });

  test('missed ones are told', () => {
    const slots = [new Date('2026-01-01T02:00:00.000Z')];
    let told: CronHandlers | undefined;
    const bench = new Bench(succeed, {
      startCron: (_schedule, handlers) => {
        told = handlers;
        return { nextSlot: () => new Date(), stop: () => undefined };
      },
    });
    told?.onMissed(slots);
    expect(bench.events.at(-1)).toEqual({ kind: 'missed', task: 'full', slots });
  });

  test('a schedule that is none is refused at once', () => {
    expect(() => new Bench(succeed, {}, '0 25 * * *')).toThrow(
      /BACKUP_CRON_SCHEDULE: expected a hour .* but found "25"/,
    );
  });
});

describe('locks', () => {
  test('a run by hand is told, and waited for until the next slot', async () => {
    const lock = await acquireDirectoryLock(directory, { operation: 'full' });
    const bench = new Bench(succeed);
    bench.nextSlotMs = 600_000;
    bench.fire();
    const waiting = await bench.until('waiting');
    await bench.until('saved');
    await lock.release();
    expect(waiting.kind === 'waiting' && waiting.holder).toContain('`full` (pid ');
    expect(bench.contexts[0]?.configuration.backup.lockWaitMs).toBe(600_000);
  });

  test('the wait is an hour at most, and never shorter than the setting', async () => {
    const bench = new Bench(succeed);
    bench.nextSlotMs = 24 * 3600_000;
    bench.fire();
    await bench.until('saved');
    expect(bench.contexts[0]?.configuration.backup.lockWaitMs).toBe(3600_000);
  });

  test('of two schedulers one makes the backup of a slot', async () => {
    let finish = (): void => undefined;
    const first = new Bench(async (context) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return succeed(context);
    });
    const second = new Bench(succeed);
    first.fire();
    await first.until('started');
    second.fire();
    await delay(100);
    expect(second.kinds()).toEqual(['next']);
    finish();
    await second.until('served');
    expect(second.contexts).toEqual([]);
  });

  test('the second one makes it where the first one failed', async () => {
    const first = new Bench(() => Promise.reject(new ReshelveError('CONNECT', 'no route')));
    const second = new Bench(succeed);
    first.fire();
    await first.until('failed');
    second.fire();
    await second.until('saved');
  });

  test('yesterday’s backup and one by hand do not serve the slot', async () => {
    const catalog = openCatalog(directory);
    const startedAt = '2026-01-01T02:00:00.000Z';
    await catalog.append(
      entryOf({ id: 'old', trigger: 'schedule', startedAt, finishedAt: startedAt }),
    );
    await catalog.append(
      entryOf({ id: 'hand', trigger: 'manual', startedAt: '2026-01-02T02:00:05.000Z' }),
    );
    const bench = new Bench(succeed);
    bench.fire();
    await bench.until('saved');
  });

  test('a slot that another scheduler works on until the next one is left to it', async () => {
    const first = new Bench((context) => lastUntilAborted(context));
    const second = new Bench(succeed);
    second.nextSlotMs = 50;
    first.fire();
    await first.until('started');
    second.fire();
    const served = await second.until('served');
    expect(served.kind === 'served' && served.by).toContain('locked by `schedule`');
    await first.scheduler.stop(STOPPED, 0);
  });
});

describe('stopping', () => {
  test('idle: at once, and no slot comes any more', async () => {
    const bench = new Bench(succeed);
    expect(await bench.scheduler.stop(STOPPED, 25_000)).toBe('idle');
    expect(bench.isCronStopped).toBe(true);
    bench.fire();
    await delay(50);
    expect(bench.contexts).toEqual([]);
  });

  test('a run under way may finish', async () => {
    const bench = new Bench(async (context) => {
      await delay(200);
      return succeed(context);
    });
    bench.fire();
    await bench.until('started');
    expect(await bench.scheduler.stop(STOPPED, 25_000)).toBe('finished');
    expect(bench.kinds()).toEqual(['next', 'started', 'finishing', 'saved']);
  });

  test('a run that takes too long is abandoned and its clean-up awaited', async () => {
    const bench = new Bench((context) => lastUntilAborted(context, 100));
    bench.fire();
    await bench.until('started');
    expect(await bench.scheduler.stop(STOPPED, 50)).toBe('abandoned');
    const failed = await bench.until('failed');
    expect(failed.kind === 'failed' && failed.error).toBe(STOPPED);
  });

  test('a second wish stops the run at once', async () => {
    const bench = new Bench((context) => lastUntilAborted(context), { sleep: endlessPatience });
    bench.fire();
    await bench.until('started');
    const stopped = bench.scheduler.stop(STOPPED, 25_000);
    bench.scheduler.abandon(STOPPED);
    expect(await stopped).toBe('abandoned');
  });

  test('a run that never ends does not hold up the process', async () => {
    const bench = new Bench(() => new Promise(() => undefined), { sleep: noPatience });
    bench.fire();
    await bench.until('started');
    expect(await bench.scheduler.stop(STOPPED, 25_000)).toBe('stuck');
  });

  test('a slot that waits for another scheduler is given up at once', async () => {
    const first = new Bench((context) => lastUntilAborted(context));
    const second = new Bench(succeed, { sleep: endlessPatience });
    first.fire();
    await first.until('started');
    second.fire();
    await delay(100);
    expect(await second.scheduler.stop(STOPPED, 25_000)).toBe('finished');
    expect(second.kinds()).toEqual(['next']);
    expect(await first.scheduler.stop(STOPPED, 0)).toBe('abandoned');
  });
});
