/** Slots of full and incremental backups beside each other, with clocks that fire when the test says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/store.js';
import { loadConfiguration } from '../../src/config/load.js';
import { ReshelveError } from '../../src/errors.js';
import type { Context, Output } from '../../src/operations/context.js';
import type { FullBackupResult } from '../../src/operations/full-backup.js';
import type { IncrementalResult } from '../../src/operations/incremental.js';
import type { ChainVerification } from '../../src/operations/verify-chain.js';
import type { CronHandlers } from '../../src/scheduler/cron-timer.js';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import type { ScheduledTask, SchedulerEvent } from '../../src/scheduler/slot.js';
import { entryOf } from '../catalog/support.js';

const SILENT: Output = { line: () => undefined, warn: () => undefined, progress: () => undefined };
const FULL_SCHEDULE = '0 2 * * *';
const INCREMENTAL_SCHEDULE = '*/30 * * * *';
const GAP = new ReshelveError('CHAIN_GAP', 'no incremental can follow: the log was purged');
const STOPPED = new ReshelveError('INTERRUPTED', 'the scheduler was stopped by the test');

let directory: string;
let nextId = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reshelve-scheduler-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What the next runs do; each takes the first one left, and succeeds where none is. */
type Behaviour = (context: Context) => Promise<void>;

class Bench {
  readonly events: SchedulerEvent[] = [];
  readonly ran: ScheduledTask[] = [];
  readonly behaviours: Record<ScheduledTask, Behaviour[]> = { full: [], incremental: [] };
  /** What the proofs of chains come to; there is nothing to prove where none is left. */
  readonly proofs: Promise<ChainVerification>[] = [];
  readonly scheduler: Scheduler;
  now = new Date('2026-01-02T02:30:00.000Z');
  nextSlots: Record<ScheduledTask, Date> = {
    full: new Date('2026-01-03T02:00:00.000Z'),
    incremental: new Date('2026-01-02T03:00:00.000Z'),
  };
  readonly #handlers = new Map<string, CronHandlers>();

  constructor(incrementalSchedule: string | undefined = INCREMENTAL_SCHEDULE) {
    const environment = {
      BACKUP_DIR: directory,
      BACKUP_CRON_SCHEDULE: FULL_SCHEDULE,
      BACKUP_INCREMENTAL_CRON_SCHEDULE: incrementalSchedule,
    };
    this.scheduler = new Scheduler({
      context: {
        configuration: loadConfiguration({ cwd: directory, environment }),
        catalog: openCatalog(directory),
        output: SILENT,
        now: () => this.now,
      },
      report: (event) => this.events.push(event),
      proveChain: () => this.proofs.shift() ?? Promise.resolve(undefined),
      startCron: ({ expression }, handlers) => {
        this.#handlers.set(expression, handlers);
        const task = expression === FULL_SCHEDULE ? 'full' : 'incremental';
        return { nextSlot: () => this.nextSlots[task], stop: () => undefined };
      },
      backUp: async (context) => {
        const { entry } = await this.#run('full', context);
        return { ...RESULT, entry };
      },
      backUpChanges: async (context) => {
        const { entry } = await this.#run('incremental', context);
        return { ...RESULT, entry, previous: 'x', method: 'binlog' };
      },
    });
    this.scheduler.start();
  }

  async #run(type: ScheduledTask, context: Context): Promise<Pick<IncrementalResult, 'entry'>> {
    this.ran.push(type);
    await this.behaviours[type].shift()?.(context);
    nextId += 1;
    const startedAt = context.now().toISOString();
    const entry = entryOf({
      id: `run-${nextId}`,
      type,
      trigger: context.trigger,
      database: context.configuration.databaseName,
      startedAt,
      finishedAt: startedAt,
    });
    await context.catalog.append(entry);
    return { entry };
  }

  fire(task: ScheduledTask): void {
    const expression = task === 'full' ? FULL_SCHEDULE : INCREMENTAL_SCHEDULE;
    this.#handlers.get(expression)?.onSlot(this.now);
  }

  /** Fires and waits until the scheduler is at rest again. */
  async serve(task: ScheduledTask): Promise<void> {
    const rests = this.count('next');
    this.fire(task);
    await this.until('next', rests + 1);
  }

  later(minutes: number): void {
    this.now = new Date(this.now.getTime() + minutes * 60_000);
  }

  count(kind: SchedulerEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** Kinds of all events but `next`. */
  story(): string[] {
    return this.events.flatMap(({ kind }) => (kind === 'next' ? [] : [kind]));
  }

  async until(kind: SchedulerEvent['kind'], count = 1): Promise<void> {
    for (let attempt = 0; attempt < 1000 && this.count(kind) < count; attempt += 1) await delay(10);
    expect(this.count(kind), this.story().join()).toBeGreaterThanOrEqual(count);
  }
}

const RESULT: Omit<FullBackupResult, 'entry'> = {
  file: 'x',
  notes: [],
  retention: { kept: [], removed: [] },
  warnings: [],
};

/** A run that lasts until `finish` is called. */
function lasting(): { behaviour: Behaviour; finish: () => void } {
  let finish = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { behaviour: () => over, finish };
}

describe('two schedules', () => {
  test('each slot gets its kind of run, and the next one of each is told', async () => {
    const bench = new Bench();
    await bench.serve('incremental');
    bench.later(30);
    await bench.serve('full');
    expect(bench.ran).toEqual(['incremental', 'full']);
    expect(bench.events.at(-1)).toEqual({
      kind: 'next',
      slots: [
        { task: 'full', at: bench.nextSlots.full },
        { task: 'incremental', at: bench.nextSlots.incremental },
      ],
    });
  });

  test('a full backup proves the chain before it, and is made whatever comes of that', async () => {
    const bench = new Bench();
    const proof = {
      chain: 'old.sql.gz',
      by: 'new.sql.gz',
      until: '2026-01-02T02:00:00.000Z',
      incrementals: 3,
      tables: [],
      warnings: [],
    };
    bench.proofs.push(Promise.resolve(proof));
    await bench.serve('full');
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'proven', proof }));
    bench.later(24 * 60);
    const error = new ReshelveError('VERIFY_FAILED', 'table book: the content of its rows differs');
    const refuted = Promise.reject<ChainVerification>(error);
    refuted.catch(() => undefined);
    bench.proofs.push(refuted);
    await bench.serve('full');
    expect(bench.events.filter(({ kind }) => kind === 'saved')).toHaveLength(2);
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'failed', error }));
    expect(bench.events.at(-1)?.kind).toBe('next');
  });

  test('without BACKUP_INCREMENTAL_CRON_SCHEDULE there is one', () => {
    const bench = new Bench('');
    expect(bench.events).toEqual([
      { kind: 'next', slots: [{ task: 'full', at: bench.nextSlots.full }] },
    ]);
  });

  test('one that is none is refused and named', () => {
    expect(() => new Bench('99 * * * *')).toThrow(
      /BACKUP_INCREMENTAL_CRON_SCHEDULE: expected a minute .* but found "99"/,
    );
  });

  test.each([
    ['full', 'incremental'],
    ['incremental', 'full'],
  ] as const)('at the same instant the full one wins (%s fires first)', async (first, second) => {
    const bench = new Bench();
    bench.nextSlots.full = first === 'incremental' ? bench.now : bench.nextSlots.full;
    bench.fire(first);
    bench.fire(second);
    await bench.until('saved');
    expect(bench.ran).toEqual(['full']);
    expect(bench.story()).toEqual(['started', 'saved']);
  });

  test('a full slot during an incremental is served behind it', async () => {
    const bench = new Bench();
    const { behaviour, finish } = lasting();
    bench.behaviours.incremental.push(behaviour);
    bench.fire('incremental');
    await bench.until('started');
    bench.later(5);
    bench.fire('full');
    finish();
    await bench.until('saved', 2);
    expect(bench.ran).toEqual(['incremental', 'full']);
    expect(bench.story()).toEqual(['started', 'saved', 'started', 'saved']);
  });

  test('incremental slots during a full backup are passed over, and told once', async () => {
    const bench = new Bench();
    const { behaviour, finish } = lasting();
    bench.behaviours.full.push(behaviour);
    bench.fire('full');
    await bench.until('started');
    for (const minutes of [30, 30]) {
      bench.later(minutes);
      bench.fire('incremental');
    }
    finish();
    await bench.until('saved');
    expect(bench.ran).toEqual(['full']);
    expect(bench.story()).toEqual(['started', 'passed-over', 'saved']);
  });

  test('a stop during an incremental lets it finish and leaves the full slot behind it out', async () => {
    const bench = new Bench();
    const { behaviour, finish } = lasting();
    bench.behaviours.incremental.push(behaviour);
    bench.fire('incremental');
    await bench.until('started');
    bench.later(5);
    bench.fire('full');
    const stopped = bench.scheduler.stop(STOPPED, 25_000);
    finish();
    expect(await stopped).toBe('finished');
    expect(bench.ran).toEqual(['incremental']);
  });

  test('of two schedulers one makes the incremental of a slot', async () => {
    const first = new Bench();
    const second = new Bench();
    const { behaviour, finish } = lasting();
    first.behaviours.incremental.push(behaviour);
    first.fire('incremental');
    await first.until('started');
    second.fire('incremental');
    finish();
    await second.until('served');
    expect(second.ran).toEqual([]);
  });
});

describe('a gap in the chain', () => {
  const fail =
    (error: Error): Behaviour =>
    () =>
      Promise.reject(error);

  test('is told and closed by a full backup at once', async () => {
    const bench = new Bench();
    bench.behaviours.incremental.push(fail(GAP));
    await bench.serve('incremental');
    expect(bench.ran).toEqual(['incremental', 'full']);
    expect(bench.story()).toEqual(['started', 'gap', 'saved']);
    const told = bench.events.find(({ kind }) => kind === 'gap');
    expect(told).toMatchObject({ reason: GAP.message });
  });

  test('another error makes no full backup', async () => {
    const bench = new Bench();
    bench.behaviours.incremental.push(fail(new ReshelveError('CONNECT', 'no route')));
    await bench.serve('incremental');
    expect(bench.ran).toEqual(['incremental']);
    expect(bench.story()).toEqual(['started', 'failed']);
  });

  test('again right behind that full backup waits for a full slot', async () => {
    const bench = new Bench();
    bench.behaviours.incremental.push(fail(GAP), fail(GAP), fail(GAP));
    for (let slot = 0; slot < 3; slot += 1) {
      await bench.serve('incremental');
      bench.later(30);
    }
    expect(bench.ran).toEqual(['incremental', 'full', 'incremental', 'incremental']);
    const failed = bench.events.find((event) => event.kind === 'failed');
    expect(String(failed?.error)).toContain('was made for the gap before');
    await bench.serve('full');
    bench.later(30);
    bench.behaviours.incremental.push(fail(GAP));
    await bench.serve('incremental');
    expect(bench.ran.slice(-3)).toEqual(['full', 'incremental', 'full']);
  });

  test('again behind an incremental that worked gets its full backup', async () => {
    const bench = new Bench();
    bench.behaviours.incremental.push(fail(GAP), () => Promise.resolve(), fail(GAP));
    for (let slot = 0; slot < 3; slot += 1) {
      await bench.serve('incremental');
      bench.later(30);
    }
    expect(bench.ran.filter((task) => task === 'full')).toHaveLength(2);
  });

  test('whose full backup fails is tried again an hour later, not in every slot', async () => {
    const bench = new Bench();
    bench.behaviours.incremental.push(fail(GAP), fail(GAP), fail(GAP));
    bench.behaviours.full.push(fail(new ReshelveError('CONNECT', 'no route')));
    for (let slot = 0; slot < 3; slot += 1) {
      await bench.serve('incremental');
      bench.later(30);
    }
    expect(bench.ran).toEqual(['incremental', 'full', 'incremental', 'incremental', 'full']);
  });
});
