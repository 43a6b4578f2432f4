/** Readers of single settings: text in, a value or what was expected out. */
import { isIP } from 'node:net';

/** `expected` completes the sentence "expected … but found …". */
export type Reading<T> = { readonly value: T } | { readonly expected: string };

export type ValueReader<T> = (text: string) => Reading<T>;

const HOST_CHARACTERS_MAX = 253;
const HOST = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?$/i;
const SECONDS_PER_UNIT = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

export function wholeNumber(minimum: number, maximum: number): ValueReader<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return { value };
    return { expected: `a whole number from ${minimum} to ${maximum}` };
  };
}

/** Case does not matter, and `VERIFY_CA`, as the mysql client spells it, is `verify-ca`. */
export function oneOf<T extends string>(choices: readonly T[]): ValueReader<T> {
  return (text) => {
    const value = choices.find((choice) => choice === text.toLowerCase().replaceAll('_', '-'));
    return value === undefined
      ? { expected: choices.join(', ').replace(/, ([^,]*)$/, ' or $1') }
      : { value };
  };
}

/** A host name, IPv4 or IPv6 address, the latter also in brackets. */
export function host(text: string): Reading<string> {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (isIP(bare) !== 0) return { value: bare };
  if (HOST.test(text) && text.length <= HOST_CHARACTERS_MAX) return { value: text };
  return { expected: 'a host name or an IP address, without port, user or scheme' };
}

/** Text on one line: nothing that a terminal or a protocol could trip over. */
export function oneLine(what: string): ValueReader<string> {
  return (text) => {
    const clean = !/\p{Control}/u.test(text) && text.trim() !== '';
    return clean ? { value: text } : { expected: `${what} without control characters` };
  };
}

/** A path as the shell would not have to expand it: .env expands neither `~` nor variables. */
export function path(text: string): Reading<string> {
  const clean = oneLine('a path')(text);
  if (!('value' in clean)) return clean;
  if (/^~(?:\/|$)|\$\{?[A-Za-z_]/.test(text)) {
    return { expected: 'a path written out, since `~` and variables are not expanded here,' };
  }
  return clean;
}

/** An IANA time zone that this Node.js knows. Offsets such as `+02:00` know no summer time: refused. */
export function timeZone(text: string): Reading<string> {
  const expected = 'an IANA time zone such as Europe/Berlin or UTC';
  if (!/^[A-Za-z]/.test(text)) return { expected };
  try {
    return { value: new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone };
  } catch {
    return { expected };
  }
}

/** `2h`, `30m`, `7d`, or plain seconds; the result is in seconds. */
export function duration(text: string): Reading<number> {
  const [, digits, unit = 's'] = /^(\d{1,9})\s*([smhdw])?$/.exec(text) ?? [];
  const seconds = Number(digits ?? 0) * SECONDS_PER_UNIT[unit as keyof typeof SECONDS_PER_UNIT];
  return seconds > 0 ? { value: seconds } : { expected: 'a time span such as 30m, 2h or 7d' };
}

/**
 * A comma list of table names. A name in backticks may hold anything, a backtick in it doubled.
 * The same name twice counts once.
 */
export function tableList(text: string): Reading<string[]> {
  const names: string[] = [];
  const item = /\s*(?:`((?:[^`]|``)+)`|([^`,]*[^`,\s]))\s*(,|$)/y;
  while (item.lastIndex < text.length) {
    const [, quoted, bare, end] = item.exec(text) ?? [];
    const name = quoted?.replaceAll('``', '`') ?? bare;
    if (name === undefined) return { expected: 'table names with commas between them' };
    if (!names.includes(name)) names.push(name);
    if (end === ',' && item.lastIndex === text.length) break;
  }
  return { value: names };
}
