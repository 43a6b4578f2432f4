/** The logged changes of an incremental, by its index alone. */
import type { ArchiveIndex, TableChanges } from '../../archive/index-types.js';
import { addChanges } from '../../binlog/change-members.js';
import { GtidSet } from '../../binlog/gtid-set.js';
import { isoOf } from '../../catalog/instant.js';

export interface InspectedChanges {
  readonly transactions: number;
  /** Commit times of the first and the last one, ISO 8601 UTC; null where there is none. */
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  /** Those of other databases included; of MariaDB the newest of each domain. Null without GTIDs. */
  readonly gtids: string | null;
  readonly tables: readonly TableChanges[];
}

export function describeChanges({ header, changes }: ArchiveIndex): InspectedChanges {
  const tables = new Map<string, { -readonly [K in keyof TableChanges]: TableChanges[K] }>();
  for (const table of changes.flatMap((change) => change.tables)) {
    const sum = tables.get(table.name);
    if (sum === undefined) tables.set(table.name, { ...table });
    else addChanges(sum, table);
  }
  const at = (micros: string | undefined): string | null =>
    micros === undefined ? null : isoOf(BigInt(micros));
  return {
    transactions: changes.reduce((sum, { transactions }) => sum + transactions, 0),
    firstAt: at(changes.at(0)?.firstAt),
    lastAt: at(changes.at(-1)?.lastAt),
    gtids: gtidsOf(header.serverFlavour, changes),
    tables: [...tables.values()],
  };
}

function gtidsOf(flavour: string, changes: ArchiveIndex['changes']): string | null {
  const sets = changes.map(({ gtids }) => gtids).filter((gtids) => gtids !== null);
  const last = sets.at(-1);
  if (last === undefined) return null;
  return flavour === 'mariadb' ? last : GtidSet.parse(sets.join(',')).toString();
}
