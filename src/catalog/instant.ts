/** Instants in microseconds since 1970 UTC: how people write them, and how we do. Pure. */
import { ReshelveError } from '../errors.js';
import { zoneOffset } from './zone-offset.js';

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = bigint;

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)? ?(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/** Of an ISO 8601 time in UTC as archives and the catalog hold it; digits past the sixth are cut. */
export function microsOf(iso: string): Micros {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? '';
  const seconds = Date.parse(iso.replace(/\.\d+/, ''));
  return BigInt(seconds) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** `2026-01-02T15:29:00.123456Z`. */
export function isoOf(instant: Micros): string {
  const second = new Date(Number(instant / 1000n)).toISOString().slice(0, 19);
  return `${second}.${String(instant % 1_000_000n).padStart(6, '0')}Z`;
}

/**
 * Reads `2026-01-02 15:29:00`, with or without fraction and zone; without one it is local time in
 * `timeZone`. Seconds that are left out are 00, and so is the fraction: `15:29:00` is the very
 * beginning of that second. Throws USAGE, also for a local time that clocks skip or show twice.
 */
export function parseInstant(text: string, timeZone: string, option: string): Micros {
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] =
    FORM.exec(text.trim()) ?? [];
  if (year === undefined) {
    throw unusable(option, text, `expected a time such as '2026-01-02 15:29:00'`);
  }
  const wall = `${year}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second}`;
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc) || new Date(asUtc).toISOString().slice(0, 19) !== wall) {
    throw unusable(option, text, 'expected a real date and time');
  }
  const candidates = zone === undefined ? inZone(asUtc, timeZone) : [asUtc - offsetMs(zone)];
  const [only, ...others] = candidates;
  if (only === undefined) {
    throw unusable(option, text, `clocks in ${timeZone} skip that time`);
  }
  if (others.length > 0) {
    const both = candidates.map((ms) => `'${new Date(ms).toISOString().replace('.000Z', 'Z')}'`);
    throw unusable(
      option,
      text,
      `clocks in ${timeZone} show that time twice: write ${both.join(' or ')}`,
    );
  }
  return BigInt(only) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -ms : ms;
}

/** The instants (none, one or two) at which a clock in the zone shows the time. */
function inZone(asUtc: number, timeZone: string): number[] {
  const offsetAt = zoneOffset(timeZone);
  const offsets = new Set([-24, 0, 24].map((hours) => offsetAt(asUtc + hours * 3_600_000)));
  return [...offsets]
    .map((offset) => asUtc - offset)
    .filter((ms) => ms + offsetAt(ms) === asUtc)
    .sort((left, right) => left - right);
}

/** `2026-01-02 15:29:00.123456` as a clock in the zone shows it; a fraction of zero is left out. */
export function formatInstant(instant: Micros, timeZone: string): string {
  const ms = Number(instant / 1_000_000n) * 1000;
  const local = new Date(ms + zoneOffset(timeZone)(ms)).toISOString().slice(0, 19);
  const fraction = instant % 1_000_000n;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0')}`;
  return `${local.replace('T', ' ')}${digits}`;
}

function unusable(option: string, text: string, detail: string): ReshelveError {
  return new ReshelveError('USAGE', `${option} ${JSON.stringify(text)}: ${detail}`, {
    hint: 'Times are local in BACKUP_TIMEZONE unless they end with a zone: Z or +02:00.',
  });
}
