/**
 * Takes one transaction back: the rows that the log has of it, the other way round. As SQL for somebody
 * to read and run, or run here, in one transaction that ends with everything or with nothing changed.
 */
import type { TableRows } from '../binlog/logged-transaction.js';
import type { Marker } from '../binlog/marker.js';
import { formatInstant, isoOf } from '../catalog/instant.js';
import type { CatalogEntry } from '../catalog/records.js';
import { ensureBackupDirectory } from '../catalog/store-files.js';
import { assert, ReshelveError } from '../errors.js';
import type { Session } from '../mysql/session.js';
import { TOOL_VERSION } from '../version.js';
import type { ChainModel } from '../catalog/chain.js';
import { readChains } from './chains/read-chains.js';
import type { Context, Warning } from './context.js';
import { readLog } from './events/read-log.js';
import { withDatabaseLock } from './database-guard.js';
import { recordedRun } from './run.js';
import { openServer } from './sessions.js';
import type { WantedTransaction } from './undo/find-transaction.js';
import { findTransaction } from './undo/find-transaction.js';
import { PieceSpill } from './changes/piece-spill.js';
import { UndoCollector } from './undo/undo-collector.js';
import type { PresentFacts } from './undo/undo-facts.js';
import { readFacts } from './undo/undo-facts.js';
import { hiddenChanges, refusalsOf } from './undo/undo-refusals.js';
import { runUndoThere } from './undo/undo-session.js';
import { undoText } from './undo/undo-text.js';

export interface UndoOptions {
  readonly gtid?: string;
  /** `FILE:POS`, where it begins. */
  readonly position?: string;
  /** Runs it; else its SQL is written. */
  readonly apply: boolean;
  /** With `apply` everything is run and rolled back. */
  readonly dryRun: boolean;
  /** Goes on although other tables were changed along, which the log does not hold. */
  readonly acceptHidden: boolean;
  readonly confirm: (database: string, loss: string) => Promise<void>;
  /** Takes the SQL where it is not applied. */
  readonly write: (text: Iterable<Buffer>) => Promise<void>;
}

export interface UndoResult {
  readonly outcome: 'applied' | 'tried' | 'written' | 'described';
  readonly gtid: string | null;
  readonly file: string;
  readonly position: number;
  /** Commit time, ISO 8601 UTC. */
  readonly time: string;
  /** The incremental that holds it; null where only the server does. */
  readonly source: string | null;
  /** As the transaction did it: what was inserted is deleted, and the reverse. */
  readonly tables: readonly TableRows[];
  readonly warnings: readonly Warning[];
}

/** Throws USAGE, TRANSACTION_NOT_FOUND, NOT_UNDOABLE, UNDO_CONFLICT, CONFIRMATION. */
export async function runUndo(context: Context, options: UndoOptions): Promise<UndoResult> {
  const wanted = readWanted(options);
  const { directory } = context.configuration.backup;
  await ensureBackupDirectory(directory);
  const spill = new PieceSpill(directory);
  const undo = new Undo(context, options, wanted, spill);
  try {
    return await undo.run();
  } finally {
    spill.close();
    await undo.close();
  }
}

function readWanted({ gtid, position }: UndoOptions): WantedTransaction {
  if ((gtid === undefined) === (position === undefined)) {
    throw new ReshelveError('USAGE', 'expected either --gtid or --position', {
      hint: 'Run `reshelve events`: it prints the command for each transaction that it marks.',
    });
  }
  if (gtid !== undefined) return { kind: 'gtid', gtid: gtid.trim().toLowerCase() };
  const [, binlogFile, at] = /^([^:/]+\.\d+):(\d{1,15})$/.exec(position?.trim() ?? '') ?? [];
  if (binlogFile === undefined || at === undefined) {
    throw new ReshelveError(
      'USAGE',
      `--position ${JSON.stringify(position)}: expected FILE:POSITION such as binlog.000012:4711`,
    );
  }
  return { kind: 'position', place: { binlogFile, position: Number(at) } };
}

class Undo {
  readonly #context: Context;
  readonly #options: UndoOptions;
  readonly #wanted: WantedTransaction;
  readonly #spill: PieceSpill;
  readonly #collector: UndoCollector;
  readonly #warnings: Warning[] = [];
  #session: Session | undefined;

  constructor(
    context: Context,
    options: UndoOptions,
    wanted: WantedTransaction,
    spill: PieceSpill,
  ) {
    this.#context = context;
    this.#options = options;
    this.#wanted = wanted;
    this.#spill = spill;
    this.#collector = new UndoCollector(spill, context.configuration.databaseName);
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  async run(): Promise<UndoResult> {
    const { apply, dryRun, write } = this.#options;
    this.#session = await this.#openServer();
    const chains = await readChains(this.#context);
    const { source } = await findTransaction(this.#context, chains, this.#wanted, {
      collector: this.#collector,
      spill: this.#spill,
      session: this.#session,
    });
    const facts = await this.#check(chains);
    if (apply) await this.#apply(facts);
    else if (!dryRun) await write(undoText(this.#collector, this.#comments()));
    const marker = this.#marker;
    return {
      outcome: apply ? (dryRun ? 'tried' : 'applied') : dryRun ? 'described' : 'written',
      gtid: marker.gtid,
      file: marker.file,
      position: marker.start,
      time: isoOf(BigInt(marker.at)),
      source,
      tables: this.#tables(),
      warnings: this.#warnings,
    };
  }

  /** For writing the SQL the server need not be there. */
  async #openServer(): Promise<Session | undefined> {
    try {
      return await openServer(this.#context, this.#context.configuration.server);
    } catch (error) {
      if (this.#options.apply || !(error instanceof ReshelveError) || error.code !== 'CONNECT') {
        throw error;
      }
      this.#warn({
        code: error.code,
        message: `what the tables are now is not known, because the server does not answer: ${error.message}`,
      });
      return undefined;
    }
  }

  #warn(warning: Warning): void {
    this.#warnings.push(warning);
    this.#context.output.warn(warning);
  }

  get #marker(): Marker {
    const { marker } = this.#collector;
    assert(marker !== undefined, 'the transaction was found');
    return marker;
  }

  #tables(): TableRows[] {
    return [...this.#collector.tables.values()].map(({ name, inserted, updated, deleted }) => ({
      name,
      inserted,
      updated,
      deleted,
    }));
  }

  /** Everything that stands in the way, at once. */
  async #check(chains: ChainModel): Promise<PresentFacts | undefined> {
    const { tables, refusals: logged } = this.#collector;
    const { apply, acceptHidden } = this.#options;
    const { databaseName } = this.#context.configuration;
    const names = [...tables.keys()];
    if (logged.length > 0) throw this.#refusal(logged);
    if (names.length === 0) throw this.#refusal(['the log holds no rows of it']);
    const facts =
      this.#session === undefined ? undefined : await readFacts(this.#session, databaseName, names);
    const firm = [
      ...refusalsOf(tables, facts, { isApplied: apply }),
      ...(await this.#changedSince(chains, new Set(names))),
    ];
    const hidden = acceptHidden || facts === undefined ? [] : hiddenChanges(tables, facts);
    if (firm.length + hidden.length > 0) {
      throw this.#refusal([...firm, ...hidden], firm.length === 0 ? { hint: INCOMPLETE } : {});
    }
    return facts;
  }

  #refusal(reasons: readonly string[], options: { readonly hint?: string } = {}): ReshelveError {
    const message = `${this.#name()} cannot be undone: ${reasons.join('; ')}`;
    return new ReshelveError('NOT_UNDOABLE', message, options);
  }

  #name(): string {
    const { gtid, file, start } = this.#marker;
    return gtid === null ? `the transaction at ${file}:${start}` : `transaction ${gtid}`;
  }

  /** Definitions of its tables that were changed behind it: its rows are of another form. */
  async #changedSince(chains: ChainModel, names: ReadonlySet<string>): Promise<string[]> {
    const { at, file, start } = this.#marker;
    const from = BigInt(at);
    const reasons = new Set<string>();
    let isBehind = false;
    await readLog(
      this.#context,
      chains,
      { from },
      {
        transaction: (transaction) => {
          const isIt = transaction.file === file && transaction.start === start;
          if (isIt) isBehind = true;
          const { ddl } = transaction;
          const isHarmless = ddl === undefined || HARMLESS_DDL.has(ddl);
          if (isIt || isHarmless || (!isBehind && transaction.at <= from)) return;
          for (const { name } of transaction.tables) {
            if (names.has(name))
              reasons.add(`the definition of ${name} was changed since (${ddl})`);
          }
        },
        chainEnd: () => undefined,
        warn: (warning) => {
          this.#warn(warning);
          if (this.#options.apply && warning.code === 'LOG_GAP') {
            reasons.add(`whether definitions were changed since is not known: ${warning.message}`);
          }
        },
      },
    );
    return [...reasons];
  }

  #comments(): string[] {
    const { databaseName, backup } = this.#context.configuration;
    const { at, file, start } = this.#marker;
    const time = formatInstant(BigInt(at), backup.timeZone);
    return [
      `Undo of ${this.#name()} of ${time} (${backup.timeZone}), logged at ${file}:${start},`,
      `by Reshelve ${TOOL_VERSION}. Run it with: mysql --binary-mode ${printable(databaseName)} < FILE`,
      ...this.#tables().map((table) => `  ${printable(table.name)}: ${wayBack(table)}`),
      'It fails, and changes nothing, where a row is missing or there again. Rows that were changed',
      'since are not seen by it; `reshelve undo --apply` compares them first.',
    ];
  }

  async #apply(facts: PresentFacts | undefined): Promise<void> {
    const { confirm, dryRun } = this.#options;
    const { databaseName } = this.#context.configuration;
    assert(facts !== undefined, 'a server that is written to was asked');
    const tables = this.#tables();
    if (!dryRun) {
      const what = tables.map((table) => `${printable(table.name)} (${wayBack(table)})`).join(', ');
      await confirm(databaseName, `rows of ${databaseName} by undoing ${this.#name()}: ${what}`);
      await recordedRun(this.#context, 'undo', (run) =>
        withDatabaseLock(run, async ({ context }) => {
          await runUndoThere(context, this.#collector, facts, 'COMMIT');
          await run.record(this.#record(tables));
        }),
      );
    } else await runUndoThere(this.#context, this.#collector, facts, 'ROLLBACK');
  }

  #record(tables: readonly TableRows[]): Partial<CatalogEntry> {
    const { gtid, file, start } = this.#marker;
    return {
      tables: tables.length,
      rows: tables.reduce(
        (sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted,
        0,
      ),
      undone: { gtid, binlogFile: file, position: start },
    };
  }
}

const INCOMPLETE =
  'Recover to just before it (`reshelve events` prints the command), or pass --incomplete to bring back what the log has.';

/** Objects are triggers, views and the like; a TRUNCATE leaves the definition as it is. */
const HARMLESS_DDL: ReadonlySet<string> = new Set(['truncate', 'object', 'database', 'other']);

export function wayBack({ inserted, updated, deleted }: TableRows): string {
  const parts = [
    ...(deleted > 0 ? [`${deleted} deleted rows come back`] : []),
    ...(updated > 0 ? [`${updated} updated rows get their old values`] : []),
    ...(inserted > 0 ? [`${inserted} inserted rows go`] : []),
  ];
  return parts.join(', ');
}

/** For a comment or a question on one line. */
function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
