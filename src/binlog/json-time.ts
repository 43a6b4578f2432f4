/** Dates and times inside of binary JSON: 8 bytes, packed, always with microseconds. */
import { damagedEvent } from './event.js';

const FIELD_TYPE_DATE = 10;
const FIELD_TYPE_TIME = 11;

const two = (value: number): string => String(value).padStart(2, '0');

export function jsonTimeText(type: number, data: Buffer): string {
  if (data.length !== 8) throw damagedEvent('a time in a JSON document has another length');
  const packed = data.readBigInt64LE(0);
  const size = packed < 0n ? -packed : packed;
  const micros = String(size & 0xffffffn).padStart(6, '0');
  const whole = Number(size >> 24n);
  const hours = Math.floor(whole / 4096) % (type === FIELD_TYPE_TIME ? 1024 : 32);
  const clock = `${two(hours)}:${two((whole >> 6) & 63)}:${two(whole & 63)}.${micros}`;
  if (type === FIELD_TYPE_TIME) return (packed < 0n ? '-' : '') + clock;
  const days = Math.floor(whole / 2 ** 17);
  const months = days >> 5;
  const date = `${String(Math.floor(months / 13)).padStart(4, '0')}-${two(months % 13)}-${two(days & 31)}`;
  return type === FIELD_TYPE_DATE ? date : `${date} ${clock}`;
}
