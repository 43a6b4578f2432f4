/** Temporal values of row images as the server prints them; TIMESTAMP in UTC. */

const two = (value: number): string => String(value).padStart(2, '0');

/** Fractions take two digits a byte. */
function fraction(value: number, bytes: number, digits: number): string {
  if (digits === 0) return '';
  return `.${String(value)
    .padStart(bytes * 2, '0')
    .slice(0, digits)}`;
}

function fractionOf(bytes: Buffer, at: number, digits: number): string {
  const width = (digits + 1) >> 1;
  return width === 0 ? '' : fraction(bytes.readUIntBE(at, width), width, digits);
}

export function dateText(bytes: Buffer): string {
  const value = bytes.readUIntLE(0, 3);
  return `${String(value >> 9).padStart(4, '0')}-${two((value >> 5) & 15)}-${two(value & 31)}`;
}

export function dateTimeText(bytes: Buffer, digits: number): string {
  const value = bytes.readUIntBE(0, 5) - 0x8000000000;
  const date = Math.floor(value / 2 ** 17);
  const time = value - date * 2 ** 17;
  const months = date >> 5;
  const year = String(Math.floor(months / 13)).padStart(4, '0');
  const day = `${year}-${two(months % 13)}-${two(date & 31)}`;
  return `${day} ${clock(time)}${fractionOf(bytes, 5, digits)}`;
}

function clock(value: number): string {
  return `${two((value >> 12) & 0x3ff)}:${two((value >> 6) & 63)}:${two(value & 63)}`;
}

export function timestampText(bytes: Buffer, digits: number): string {
  const seconds = bytes.readUInt32BE(0);
  const rest = fractionOf(bytes, 4, digits);
  // The zero timestamp is no instant.
  if (seconds === 0) return `0000-00-00 00:00:00${rest}`;
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ') + rest;
}

/** Of the whole number with its fraction one is subtracted from where the time is negative. */
export function timeText(bytes: Buffer, digits: number): string {
  const width = (digits + 1) >> 1;
  const scale = 256 ** width;
  const value = bytes.readUIntBE(0, 3 + width) - 0x800000 * scale;
  const size = Math.abs(value);
  const whole = Math.floor(size / scale);
  return `${value < 0 ? '-' : ''}${clock(whole)}${fraction(size % scale, width, digits)}`;
}
