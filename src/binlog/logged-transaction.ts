/** From the markers of logged changes to whole transactions. Pure. */
import type { TableChanges } from '../archive/index-types.js';
import { addChanges } from './change-members.js';
import type { DdlClass, Marker } from './marker.js';

export type TableRows = Omit<TableChanges, 'ddl'>;

/** A transaction, or a statement that is one by itself, as the log has it. */
export interface LoggedTransaction {
  readonly gtid: string | null;
  /** Where it begins in the server's log; `end` is in the same file. */
  readonly file: string;
  readonly start: number;
  readonly end: number | null;
  /** Commit time in µs since the epoch. */
  readonly at: bigint;
  /** The server logs whole seconds only. */
  readonly isInSeconds: boolean;
  readonly kind: Marker['kind'];
  readonly ddl?: DdlClass;
  /** What the statement of a definition is, such as `DROP TABLE` or `ALTER TABLE … DROP`. */
  readonly statement?: string;
  readonly tables: readonly TableRows[];
}

/** Puts the parts of transactions together that go on over several members. */
export class TransactionMerger {
  #parts: { readonly marker: Marker; readonly tables: Map<string, WritableChanges> } | undefined;
  #statement: string | undefined;

  /** Takes the next marker of the log; gives the transaction before it, which is whole now. */
  push(marker: Marker): LoggedTransaction | undefined {
    const before = marker.continued === true ? undefined : this.finish();
    this.#parts ??= { marker, tables: new Map() };
    this.#parts = { marker: merged(this.#parts.marker, marker), tables: this.#parts.tables };
    for (const { name, inserted = 0, updated = 0, deleted = 0 } of marker.tables) {
      const rows = { name, inserted, updated, deleted, ddl: false };
      const sum = this.#parts.tables.get(name);
      if (sum === undefined) this.#parts.tables.set(name, rows);
      else addChanges(sum, rows);
    }
    return before;
  }

  /** The statement behind the marker that was pushed last. */
  describe(statement: string): void {
    this.#statement ??= statement;
  }

  /** The last transaction; undefined where there is none. */
  finish(): LoggedTransaction | undefined {
    const parts = this.#parts;
    const statement = this.#statement;
    this.#parts = undefined;
    this.#statement = undefined;
    if (parts === undefined) return undefined;
    const { marker, tables } = parts;
    return {
      gtid: marker.gtid,
      file: marker.file,
      start: marker.start,
      end: marker.end,
      at: BigInt(marker.at),
      isInSeconds: marker.seconds === true,
      kind: marker.kind,
      ...(marker.ddl === undefined ? {} : { ddl: marker.ddl }),
      ...(marker.kind !== 'ddl' || statement === undefined ? {} : { statement }),
      tables: [...tables.values()].map(({ name, inserted, updated, deleted }) => ({
        name,
        inserted,
        updated,
        deleted,
      })),
    };
  }
}

type WritableChanges = { -readonly [K in keyof TableChanges]: TableChanges[K] };

/** A part without rows of its own may be the last; a definition or a statement in any part counts. */
function merged(first: Marker, next: Marker): Marker {
  const kinds = new Set([first.kind, next.kind]);
  const ddl = first.ddl ?? next.ddl;
  return {
    ...first,
    end: next.end,
    kind: kinds.has('ddl') ? 'ddl' : kinds.has('statement') ? 'statement' : 'rows',
    ...(ddl === undefined ? {} : { ddl }),
  };
}
