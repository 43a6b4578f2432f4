import { inserts, randomNumbers } from '../sql-text.js';
import { scaledTheme } from '../step.js';

/** The double with these 64 bits as SQL text with an exponent, so that it never is a DECIMAL. */
function doubleLiteral(value: number): string {
  if (Object.is(value, -0)) return '-0e0';
  const text = String(value);
  return text.includes('e') ? text : `${text}e0`;
}

function floatOfBits(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits >>> 0);
  return view.getFloat32(0);
}

function doubleOfBits(high: number, low: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, high >>> 0);
  view.setUint32(4, low >>> 0);
  return view.getFloat64(0);
}

/** FLOAT bit patterns where rounding to six digits, or flushing subnormals, loses the value. */
const FLOAT_EDGES: readonly number[] = [
  0x00000000,
  0x80000000, // 0 and -0
  0x00000001,
  0x80000001, // smallest subnormal
  0x007fffff,
  0x00400000, // largest and a middle subnormal
  0x00800000,
  0x80800000, // smallest normal
  0x7f7fffff,
  0xff7fffff, // largest
  0x4b7fffff, // 16777215, which a six-digit dump turns into 16777200
  0x3dcccccd,
  0x3f800001,
  0x3f7fffff,
  0x40490fdb,
  0x7f000000,
  0x33800000,
];

const DOUBLE_EDGES: readonly number[] = [
  0,
  -0,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2.2250738585072014e-308,
  2.225073858507201e-308,
  0.1,
  0.1 + 0.2,
  1 / 3,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 63,
  1e15,
  1e16,
  123456789012345680,
  9007199254740992,
  5e-324,
  1.7976931348623155e308,
  4.35,
  1e22,
  1e23,
  9.5367431640625e-7,
  Number.EPSILON,
];

function floatRows(count: number): string[][] {
  const next = randomNumbers(0x5eed);
  const values = FLOAT_EDGES.map(floatOfBits);
  while (values.length < count + FLOAT_EDGES.length) {
    const value = floatOfBits(next());
    if (Number.isFinite(value)) values.push(value);
  }
  return values.map((value) => [doubleLiteral(value)]);
}

function doubleRows(count: number): string[][] {
  const next = randomNumbers(0xd0b1e);
  const values = [...DOUBLE_EDGES];
  while (values.length < count + DOUBLE_EDGES.length) {
    const value = doubleOfBits(next(), next());
    if (Number.isFinite(value)) values.push(value);
  }
  return values.map((value) => [doubleLiteral(value)]);
}

/** Values with more digits than DOUBLE(20,2) and the like can hold: rounded once, by the insert. */
function declaredDigitsRows(count: number): string[][] {
  const next = randomNumbers(0xd161);
  return Array.from({ length: count }, () => {
    const scale = 10 ** (next() % 18);
    const value = (next() / 2 ** 32) * scale * (next() % 2 === 0 ? 1 : -1);
    return [value, value % 1e8, value % 1e9].map(doubleLiteral);
  });
}

/** FLOAT and DOUBLE exact to the bit: edges, then deterministic random bit patterns. */
export const reals = scaledTheme('reals', (scale) => [
  'CREATE TABLE floats (id INT AUTO_INCREMENT PRIMARY KEY, f FLOAT)',
  ...inserts('floats', ['f'], [...floatRows(scale.realPatterns), ['NULL']]),
  'CREATE TABLE doubles (id INT AUTO_INCREMENT PRIMARY KEY, d DOUBLE)',
  ...inserts('doubles', ['d'], [...doubleRows(scale.realPatterns), ['NULL']]),

  // Declared digits: the text protocol prints these rounded to the declared decimals.
  `CREATE TABLE real_digits (
    f73 FLOAT(7,3), d202 DOUBLE(20,2), f0 FLOAT(10,0), d255 DOUBLE(255,30), f24 FLOAT(24), f53 FLOAT(53),
    fu FLOAT UNSIGNED, du DOUBLE UNSIGNED, fz FLOAT ZEROFILL, dz DOUBLE(16,4) ZEROFILL, r REAL)`,
  `INSERT INTO real_digits VALUES
    (1234.567, 123456789012345678.12, 16777215, 1e200, 16777215, 0.1, 1.1754943508222875e-38, 0.1, 3.5, 3.5, 1e-300),
    (-9999.999, -999999999999999999.99, -9999999999, -0.000000000000000000000000000001, 0.1, 1e308, 0.1, 1e308, 16777215, 99999999.9999, -1e300),
    (-0e0, -0e0, -0e0, -0e0, -0e0, -0e0, 0, 0, 0, 0, -0e0),
    (0.001, 0.01, 1, 0.1, 1e-45, 5e-324, 3.4028234663852886e38, 5e-324, 0.001, 0.0001, 5e-324),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  'CREATE TABLE real_digits_random (id INT AUTO_INCREMENT PRIMARY KEY, d202 DOUBLE(20,2), f73 FLOAT(12,3), d155 DOUBLE(15,5))',
  ...inserts('real_digits_random', ['d202', 'f73', 'd155'], declaredDigitsRows(scale.realPatterns)),
  // Narrowing the declared digits of a filled table leaves more bits stored than the new type prints.
  'CREATE TABLE real_digits_altered (id INT PRIMARY KEY, d DOUBLE, f FLOAT)',
  'INSERT INTO real_digits_altered VALUES (1, 0.30000000000000004, 0.1), (2, 1e-9, 16777215)',
  'ALTER TABLE real_digits_altered MODIFY d DOUBLE(20,18), MODIFY f FLOAT(20,10)',
  "CREATE TABLE real_defaults (id INT PRIMARY KEY, f FLOAT DEFAULT 16777215, d DOUBLE NOT NULL DEFAULT 1e300, n FLOAT(7,3) DEFAULT '-0.5')",
  'INSERT INTO real_defaults (id) VALUES (1)',
]);
