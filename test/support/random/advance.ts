/**
 * Restores instants one after the other in one copy: what an archive says is replayed as a restore
 * replays it, but each time only what lies behind the instant before.
 */
import type { Marker } from '../../../src/binlog/marker.js';
import { ReplayUntil } from '../../../src/binlog/replay-until.js';
import type { ReplayEnd, ReplayVerdict } from '../../../src/binlog/replay-until.js';
import { ChainArchives } from '../../../src/operations/chains/chain-archives.js';
import { loadChain, replayArchive } from '../../../src/operations/chains/load-chain.js';
import type { ChainLoadRequest } from '../../../src/operations/chains/load-chain.js';
import { chooseRestorePoint } from '../../../src/operations/chains/restore-point.js';
import type { TargetWish } from '../../../src/operations/load/restore-target.js';
import { readTarget } from '../../../src/operations/load/restore-target.js';
import { renamed } from '../../../src/operations/restore.js';
import { openServer } from '../../../src/operations/sessions.js';
import { contextOf } from '../capture.js';
import type { Workspace } from '../cli.js';

/** Ends where a restore would, and passes over what an earlier one has applied. */
class Onward extends ReplayUntil {
  readonly #before: number;
  #met = 0;
  #verdict: ReplayVerdict = 'apply';

  constructor(end: ReplayEnd | undefined, before: number) {
    super(end);
    this.#before = before;
  }

  /** Transactions up to the end, those of earlier instants included. */
  get met(): number {
    return this.#met;
  }

  override judge(marker: Marker): ReplayVerdict {
    const verdict = super.judge(marker);
    if (verdict === 'stop') return 'stop';
    if (marker.continued !== true) {
      this.#met += 1;
      this.#verdict = this.#met <= this.#before ? 'skip' : verdict;
    }
    return this.#verdict;
  }
}

/** One copy that goes from instant to instant; a new chain begins it anew. */
export class AdvancingCopy {
  readonly #shop: Workspace;
  readonly #database: string;
  readonly #empty: () => Promise<void>;
  #fullId: string | undefined;
  #applied = 0;

  /** `empty` makes the database anew. */
  constructor(shop: Workspace, database: string, empty: () => Promise<void>) {
    this.#shop = shop;
    this.#database = database;
    this.#empty = empty;
  }

  /** Everything but events, which come last of all in a real restore. */
  async advance(wish: TargetWish): Promise<void> {
    const context = contextOf(this.#shop);
    const point = await chooseRestorePoint(context, undefined, wish);
    const archives = await ChainArchives.open(point.backups.map(({ path }) => path));
    try {
      archives.assertLinked();
      const { header } = archives.full.index;
      const request: ChainLoadRequest = {
        archives,
        database: this.#database,
        open: () => openServer(context, context.configuration.server, this.#database),
        connections: 2,
        rewrite: (statement) => renamed(statement, header.database, this.#database),
        withoutBinlog: true,
        withoutEvents: true,
        output: context.output,
      };
      if (this.#fullId !== header.id) await this.#begin(request, header.id);
      const until = new Onward(readTarget(wish, 'UTC'), this.#applied);
      for (const reader of archives.readers.slice(1)) {
        if (!until.isOver) await replayArchive(request, reader, until, 'without');
      }
      this.#applied = until.met;
    } finally {
      await archives.close();
    }
  }

  beginAnew(): void {
    this.#fullId = undefined;
  }

  async #begin(request: ChainLoadRequest, fullId: string): Promise<void> {
    await this.#empty();
    const full = new ChainArchives([request.archives.full]);
    await loadChain({ ...request, archives: full });
    this.#fullId = fullId;
    this.#applied = 0;
  }
}
