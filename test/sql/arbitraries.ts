/** Random columns and rows, the nastier the likelier. */
import fc from 'fast-check';
import type { ColumnEncoding, ColumnPlan } from '../../src/sql/column-plan.js';
import type { RowValues } from '../../src/sql/row-image.js';

const SPECIAL_BYTES = [0x00, 0x0a, 0x0d, 0x1a, 0x27, 0x5c, 0x22, 0x2c, 0x28, 0x29, 0x3b, 0xff];

/** Bytes with many that need escaping, at lengths around the kernel's and the protocol's limits. */
const bytes: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 80, arbitrary: fc.nat({ max: 40 }) },
    { weight: 20, arbitrary: fc.constantFrom(15, 16, 17, 31, 32, 33, 64, 249, 250, 251, 252, 300) },
    { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 70_000) },
  )
  .chain((length) => fc.tuple(fc.constant(length), fc.integer(), fc.constantFrom(0, 1, 4, 16)))
  .map(([length, seed, density]) => pseudoRandomBytes(length, seed, density));

/** One byte in `density` is special (none for 0), so that long values cost nothing to make. */
function pseudoRandomBytes(length: number, seed: number, density: number): Buffer {
  const result = Buffer.alloc(length);
  let state = seed | 1;
  for (let offset = 0; offset < length; offset += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const random = state >>> 16;
    const isSpecial = density > 0 && random % density === 0;
    const special = SPECIAL_BYTES[(state >>> 8) % SPECIAL_BYTES.length] ?? 0;
    result[offset] = isSpecial ? special : density === 0 ? 0x61 + (random % 26) : random & 0xff;
  }
  return result;
}

const number: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).map(String),
    fc.stringMatching(/^-?\d{1,40}(\.\d{1,30})?$/),
  )
  .map((text) => Buffer.from(text, 'latin1'));

const real: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
      return Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e');
    }),
    fc.constantFrom('0', '-0', '1e15', '5e-324', '1.7976931348623157e308'),
    fc.stringMatching(/^\d{1,309}\.\d{1,30}$/),
  )
  .map((text) => Buffer.from(text, 'latin1'));

/** Numbers as they may stand in a document: doubles as MySQL prints them, and exact decimals. */
const jsonNumber: fc.Arbitrary<string> = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
    const text = String(value).replace('e+', 'e');
    return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
  }),
  fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,20})?$/),
);

const jsonString: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '1.10', 'é') }),
  )
  .map((text) => JSON.stringify(text));

const { value: jsonValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(jsonNumber, jsonString, fc.constantFrom('null', 'true', 'false', '[]', '{}')),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(jsonString, tie('value')), { maxLength: 5, selector: ([key]) => key })
      .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`),
  ),
}));

export const jsonDocument: fc.Arbitrary<Buffer> = jsonValue.map((text) => Buffer.from(text));

const VALUES: Record<ColumnEncoding, fc.Arbitrary<Buffer | null>> = {
  number,
  real,
  text: bytes,
  binary: bytes,
  charset: bytes,
  json: jsonDocument,
  default: fc.constant(null),
};

const ENCODINGS = Object.keys(VALUES) as ColumnEncoding[];

const column: fc.Arbitrary<ColumnPlan> = fc.constantFrom(...ENCODINGS).map((encoding) => {
  const plan = { name: 'c', expression: '`c`', encoding };
  return encoding === 'charset' ? { ...plan, introducer: '_sjis' } : plan;
});

export interface Table {
  readonly columns: readonly ColumnPlan[];
  readonly rows: readonly RowValues[];
}

export function table(options: { maxRows: number }): fc.Arbitrary<Table> {
  return fc.array(column, { minLength: 1, maxLength: 6 }).chain((columns) => {
    const row = fc.tuple(...columns.map(({ encoding }) => fc.option(VALUES[encoding])));
    return fc.array(row, { maxLength: options.maxRows }).map((rows) => ({ columns, rows }));
  });
}
