/** Records of a query by what they have in common. */
import type { TextRecord } from './session.js';

/** In the order in which the groups begin. */
export function groupBy(
  records: readonly TextRecord[],
  keyOf: (record: TextRecord) => string,
): Map<string, TextRecord[]> {
  const groups = new Map<string, TextRecord[]>();
  for (const record of records) {
    const group = groups.get(keyOf(record));
    if (group === undefined) groups.set(keyOf(record), [record]);
    else group.push(record);
  }
  return groups;
}
