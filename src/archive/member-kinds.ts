/**
 * The kinds of gzip member in an archive. The codes are stored in every member's header and are for
 * ever; their numeric order is the order in which members may follow each other in a file.
 */
export const MEMBER_KIND_CODES = {
  /** Exactly one, first: the signature line and the session settings that loading needs. */
  header: 1,
  /** One per MariaDB sequence; before the tables, whose defaults may use them. */
  sequence: 2,
  /** One per table: its definition. */
  table: 3,
  /** Rows of one table, as INSERT statements. */
  data: 4,
  /** Changes of an incremental archive; their order in the file is the order to apply them in. */
  change: 5,
  /** One per view, routine, trigger, package or event, in an order that loads. */
  object: 6,
  /** At most one: statements that end the load, such as putting session settings back. */
  closing: 7,
  /** Exactly one: the index, SQL comments only. */
  index: 8,
  /** Exactly one, last, empty and of fixed size. */
  footer: 9,
} as const;

export type MemberKind = keyof typeof MEMBER_KIND_CODES;

/** The kinds whose SQL a caller supplies; the writer makes the other two itself. */
export type ContentKind = Exclude<MemberKind, 'index' | 'footer'>;

const KINDS_BY_CODE = new Map<number, MemberKind>(
  (Object.keys(MEMBER_KIND_CODES) as MemberKind[]).map((kind) => [MEMBER_KIND_CODES[kind], kind]),
);

/** The kind stored as `code`, or undefined where format 1 has none. */
export function kindOfCode(code: number): MemberKind | undefined {
  return KINDS_BY_CODE.get(code);
}

/** Whether a member of kind `next` may come directly or indirectly after one of kind `previous`. */
export function mayFollow(previous: MemberKind, next: MemberKind): boolean {
  const repeatable =
    next !== 'header' && next !== 'closing' && next !== 'index' && next !== 'footer';
  const step = MEMBER_KIND_CODES[next] - MEMBER_KIND_CODES[previous];
  return step > 0 || (step === 0 && repeatable);
}
