/** The event that opens a transaction: its identity and the time of its commit. */
import { damagedEvent, EVENT } from './event.js';
import type { LogEvent } from './event.js';
import { FieldReader } from './reader.js';

export interface GtidEvent {
  /** `UUID:N`, `UUID:TAG:N`, `DOMAIN-SERVER-N`; null for an anonymous transaction. */
  readonly gtid: string | null;
  /** µs since the epoch. */
  readonly committedAt: bigint;
  /** The log has whole seconds only. */
  readonly isInSeconds: boolean;
  /** MariaDB: a single statement (DDL), no BEGIN is implied. Undefined on MySQL. */
  readonly mariaDb?: {
    readonly isStandalone: boolean;
    /** Set where the transaction ends in XA PREPARE; there is no XA START in the log. */
    readonly preparedXid?: string;
  };
}

const MICROSECONDS = 1_000_000n;
/** Bit 55 of the commit time: the original commit time follows. */
const HAS_ORIGINAL_TIME = 1n << 55n;
const MARIADB_FLAG = { standalone: 1, groupCommitId: 2, preparedXa: 64 } as const;

export function parseGtidEvent(event: LogEvent): GtidEvent {
  if (event.type === EVENT.mariaGtid) return parseMariaDb(event);
  return event.type === EVENT.gtidTagged ? parseTagged(event) : parseUntagged(event);
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-');
}

function parseUntagged(event: LogEvent): GtidEvent {
  const reader = new FieldReader(event.bytes, 20);
  const uuid = uuidText(reader.take(16));
  const number = reader.uint64();
  const gtid = event.type === EVENT.gtid ? `${uuid}:${number}` : null;
  // Behind it: the type of logical timestamp (1), last committed (8), sequence number (8).
  if (reader.remaining < 17 + 7) return { gtid, ...bySeconds(event) };
  reader.take(17);
  const time = BigInt(reader.uint(6)) | (BigInt(reader.uint(1)) << 48n);
  return { gtid, committedAt: time & ~HAS_ORIGINAL_TIME, isInSeconds: false };
}

function bySeconds(event: LogEvent): Pick<GtidEvent, 'committedAt' | 'isInSeconds'> {
  return { committedAt: BigInt(event.timestamp) * MICROSECONDS, isInSeconds: true };
}

function parseMariaDb(event: LogEvent): GtidEvent {
  const reader = new FieldReader(event.bytes, 19);
  const sequence = reader.uint64();
  const domain = reader.uint(4);
  const flags = reader.uint(1);
  return {
    gtid: `${domain}-${event.serverId}-${sequence}`,
    ...bySeconds(event),
    mariaDb: {
      isStandalone: (flags & MARIADB_FLAG.standalone) !== 0,
      ...preparedXid(reader, flags),
    },
  };
}

function preparedXid(reader: FieldReader, flags: number): { preparedXid?: string } {
  if ((flags & MARIADB_FLAG.preparedXa) === 0) return {};
  if ((flags & MARIADB_FLAG.groupCommitId) !== 0) reader.take(8);
  const formatId = reader.int32();
  const [globalLength, branchLength] = [reader.uint(1), reader.uint(1)];
  const global = reader.take(globalLength).toString('hex');
  const branch = reader.take(branchLength).toString('hex');
  return { preparedXid: `X'${global}',X'${branch}',${formatId}` };
}

/** MySQL's serialization: version, size, last field that may not be passed over, then fields by id. */
function parseTagged(event: LogEvent): GtidEvent {
  const reader = new VariableReader(event.bytes, 19);
  reader.unsigned();
  reader.unsigned();
  reader.unsigned();
  let uuid = '';
  let number = 0n;
  let tag = '';
  let committedAt: bigint | undefined;
  while (!reader.isAtEnd) {
    const field = reader.unsigned();
    if (field === 0n) reader.unsigned();
    else if (field === 1n) uuid = uuidText(Buffer.from(reader.bytes16()));
    else if (field === 2n) number = reader.signed();
    else if (field === 3n) tag = reader.text();
    else if (field === 6n) {
      committedAt = reader.unsigned();
      break;
    } else if (field === 4n || field === 5n) reader.signed();
    else throw damagedEvent(`expected a field of a GTID but found ${field}`);
  }
  if (uuid === '') throw damagedEvent('a GTID without a UUID');
  const gtid = tag === '' ? `${uuid}:${number}` : `${uuid}:${tag}:${number}`;
  return committedAt === undefined
    ? { gtid, ...bySeconds(event) }
    : { gtid, committedAt, isInSeconds: false };
}

/** Integers of variable length: as many bytes follow the first as that has trailing ones. */
class VariableReader {
  readonly #reader: FieldReader;

  constructor(bytes: Buffer, at: number) {
    this.#reader = new FieldReader(bytes, at);
  }

  get isAtEnd(): boolean {
    return this.#reader.remaining === 0;
  }

  unsigned(): bigint {
    const first = this.#reader.uint(1);
    let extra = 0;
    while (extra < 8 && (first & (1 << extra)) !== 0) extra += 1;
    if (extra === 8) return this.#reader.uint64();
    let value = BigInt(first);
    const following = this.#reader.take(extra);
    for (const [at, byte] of following.entries()) value |= BigInt(byte) << BigInt(8 * (at + 1));
    return value >> BigInt(extra + 1);
  }

  signed(): bigint {
    const value = this.unsigned();
    return (value & 1n) === 1n ? -(value >> 1n) - 1n : value >> 1n;
  }

  /** A UUID: sixteen integers, one for each byte. */
  bytes16(): number[] {
    return Array.from({ length: 16 }, () => Number(this.unsigned()));
  }

  text(): string {
    return this.#reader.take(Number(this.unsigned())).toString('latin1');
  }
}
