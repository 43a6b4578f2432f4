/** Sets of GTIDs of MySQL, with tags: text, union, comparison, and the form of the dump command. */
import { ReshelveError } from '../errors.js';

/** From `start` to `end`, both in it. */
interface Interval {
  start: bigint;
  end: bigint;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const RANGE = /^(\d{1,19})(?:-(\d{1,19}))?$/;

export class GtidSet {
  /** By `UUID` or `UUID:TAG`; each list is sorted, without overlap or contact. */
  readonly #intervals = new Map<string, Interval[]>();

  /** Reads `UUID:1-5:7:tag:1-3,UUID:…`; space is passed over. Throws DAMAGED. */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.replaceAll(/\s/g, '').toLowerCase().split(',')) {
      if (part !== '') set.#addPart(part);
    }
    return set;
  }

  #addPart(part: string): void {
    const [uuid = '', ...rest] = part.split(':');
    if (!UUID.test(uuid) || rest.length === 0) throw notASet(part);
    let source = uuid;
    for (const item of rest) {
      const match = RANGE.exec(item);
      if (match !== null) {
        const start = BigInt(match[1] ?? '');
        this.#add(source, start, match[2] === undefined ? start : BigInt(match[2]));
      } else if (TAG.test(item)) source = `${uuid}:${item}`;
      else throw notASet(part);
    }
  }

  /** Adds one, as `UUID:N` or `UUID:TAG:N`. */
  add(gtid: string): void {
    const at = gtid.lastIndexOf(':');
    const number = BigInt(gtid.slice(at + 1));
    this.#add(gtid.slice(0, at), number, number);
  }

  #add(source: string, start: bigint, end: bigint): void {
    if (start < 1n || end < start) throw notASet(`${source}:${start}-${end}`);
    const list = this.#intervals.get(source) ?? [];
    this.#intervals.set(source, list);
    const last = list.at(-1);
    // Nearly always: the number right behind the last one.
    if (last === undefined || start > last.end + 1n) list.push({ start, end });
    else if (start >= last.start) last.end = end > last.end ? end : last.end;
    else insert(list, { start, end });
  }

  union(other: GtidSet): GtidSet {
    const set = new GtidSet();
    for (const from of [this, other]) {
      for (const [source, list] of from.#intervals) {
        for (const { start, end } of list) set.#add(source, start, end);
      }
    }
    return set;
  }

  /** Whether every GTID of `other` is in this set. */
  contains(other: GtidSet): boolean {
    for (const [source, list] of other.#intervals) {
      const own = this.#intervals.get(source) ?? [];
      const isCovered = ({ start, end }: Interval): boolean =>
        own.some((interval) => interval.start <= start && end <= interval.end);
      if (!list.every(isCovered)) return false;
    }
    return true;
  }

  get isEmpty(): boolean {
    return this.#intervals.size === 0;
  }

  /** As the server prints it, without line breaks: UUIDs and tags in order. */
  toString(): string {
    const byUuid = new Map<string, string>();
    for (const source of [...this.#intervals.keys()].sort()) {
      const [uuid = '', tag] = source.split(':');
      const ranges = (this.#intervals.get(source) ?? []).map(rangeText).join(':');
      const before = byUuid.get(uuid);
      const own = tag === undefined ? ranges : `${tag}:${ranges}`;
      byUuid.set(uuid, before === undefined ? `${uuid}:${own}` : `${before}:${own}`);
    }
    return [...byUuid.values()].join(',');
  }

  /** The form in COM_BINLOG_DUMP_GTID; the one with tags (server 8.3 and later) where there are any. */
  encode(): Buffer {
    const sources = [...this.#intervals.keys()].sort();
    const isTagged = sources.some((source) => source.includes(':'));
    const count = BigInt(sources.length);
    const pieces = [uint64(isTagged ? (1n << 56n) | (count << 8n) | 1n : count)];
    for (const source of sources) {
      const [uuid = '', tag = ''] = source.split(':');
      pieces.push(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
      if (isTagged) pieces.push(Buffer.of(tag.length << 1), Buffer.from(tag, 'latin1'));
      const list = this.#intervals.get(source) ?? [];
      pieces.push(uint64(BigInt(list.length)));
      for (const { start, end } of list) pieces.push(uint64(start), uint64(end + 1n));
    }
    return Buffer.concat(pieces);
  }
}

/** Puts an interval where it belongs, joining those that it touches. */
function insert(list: Interval[], added: Interval): void {
  let { start, end } = added;
  const apart = list.filter((interval) => {
    const touches = interval.start <= end + 1n && start <= interval.end + 1n;
    if (touches) {
      start = interval.start < start ? interval.start : start;
      end = interval.end > end ? interval.end : end;
    }
    return !touches;
  });
  apart.push({ start, end });
  apart.sort((left, right) => (left.start < right.start ? -1 : 1));
  list.splice(0, list.length, ...apart);
}

function rangeText({ start, end }: Interval): string {
  return start === end ? String(start) : `${start}-${end}`;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function notASet(text: string): ReshelveError {
  return new ReshelveError('DAMAGED', `expected a set of GTIDs but found ${text.slice(0, 100)}`);
}

/** MariaDB's position: the newest GTID of each domain, `0-1-5,2-1-9`. */
export class MariaDbPosition {
  readonly #newest = new Map<number, { server: string; sequence: bigint }>();

  static parse(text: string): MariaDbPosition {
    const position = new MariaDbPosition();
    for (const part of text.replaceAll(/\s/g, '').split(',')) if (part !== '') position.add(part);
    return position;
  }

  add(gtid: string): void {
    const match = /^(\d+)-(\d+)-(\d+)$/.exec(gtid);
    if (match === null) throw notASet(gtid);
    this.#newest.set(Number(match[1]), {
      server: match[2] ?? '',
      sequence: BigInt(match[3] ?? ''),
    });
  }

  toString(): string {
    return [...this.#newest]
      .sort(([left], [right]) => left - right)
      .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
      .join(',');
  }
}
