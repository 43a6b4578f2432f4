/** The members of ENUM and SET columns, as COLUMN_TYPE lists them. */

/**
 * `enum('a','it''s')` → `['a', "it's"]`; `undefined` where the text is not such a list.
 * Backslashes are left as they stand: servers differ in whether they escape them here.
 */
export function parseMemberList(columnType: string): readonly string[] | undefined {
  const list = /^(?:enum|set)\((.*)\)/is.exec(columnType)?.[1];
  if (list === undefined) return undefined;
  const members: string[] = [];
  const member = /'((?:[^']|'')*)'(,|$)/gy;
  for (;;) {
    const match = member.exec(list);
    if (match === null) return undefined;
    members.push((match[1] ?? '').replaceAll("''", "'"));
    if (match[2] === '') return members;
  }
}

/** The same list with the members of these numbers (from 1) named otherwise. */
export function renameMembers(columnType: string, names: ReadonlyMap<number, string>): string {
  const members = parseMemberList(columnType);
  if (members === undefined) return columnType;
  const quoted = members.map((member, at) => {
    return `'${(names.get(at + 1) ?? member).replaceAll("'", "''")}'`;
  });
  return `${columnType.slice(0, columnType.indexOf('('))}(${quoted.join(',')})`;
}

/**
 * Whether each member, written as text, is found again as the same member. The server looks it up
 * by the column's collation, under which different members may be equal (they are when the table
 * was made without strict mode). Only lists are trusted that stay distinct under a folding coarser
 * than any collation's; under a binary collation differing is enough.
 */
export function isTextSafeMemberList(
  members: readonly string[],
  collation: string | null,
): boolean {
  if (members.includes('')) return false;
  const isBinary = collation?.endsWith('_bin') ?? false;
  if (!isBinary && !members.every((member) => /^[ -~]+$/.test(member))) return false;
  if (members.some((member) => member.includes('\\'))) return false;
  const folded = isBinary ? members : members.map(foldCoarsely);
  return new Set(folded).size === members.length;
}

/** Lithuanian sorts y as i, Estonian w as v, and roman j as i and u as v. */
function foldCoarsely(member: string): string {
  return member.toLowerCase().replace(/[yj]/g, 'i').replace(/[wu]/g, 'v').replace(/ +$/, '');
}
