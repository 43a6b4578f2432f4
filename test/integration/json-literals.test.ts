/**
 * Goal: JSON comes back as the same text, exact decimals included. Method: documents that only SQL
 * functions can make, read from a real MySQL, written as literals, and inserted again.
 */
import fc from 'fast-check';
import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLiteral } from '../../src/sql/json-literal.js';
import { findUnstableNumbers, isStableNumber } from '../../src/sql/json-numbers.js';
import { quoteString } from '../../src/sql/quote.js';
import { connectTo, createDatabase, sharedServer, type TestDatabase } from '../support/servers.js';

const KEYS: readonly string[] = [
  ...['', ' ', 'a', 'A', 'a ', '"', '\\', '\\"', '"]', '"."', "it's", '`', '$', '$.a', 'a.b'],
  ...['[0]', '*', '**', '%', '--', '/*', '*/', '#', ';', 'last', 'to', '1', 'null', 'true', 'e0'],
  ...['\\u0041', '\\n', '\0', '\u0001\u001f', '\n', '\r\n', '\t', '\u001a', '\u007f', '\u0080'],
  ...['é', 'e\u0301', '漢字', '😀', '\u2028', '\uffff', 'k'.repeat(300)],
];

let connection: mysql.Connection;
let database: TestDatabase;

beforeAll(async () => {
  const server = await sharedServer('mysql');
  database = await createDatabase(server, 'json_literals');
  connection = await connectTo(server, database.name);
  await connection.query('CREATE TABLE documents (j JSON)');
});

afterAll(async () => {
  await connection.end();
  await database.drop();
});

/** What the table holds after a document was put in: its text as the server prints it. */
async function store(expression: string): Promise<Buffer> {
  await connection.query('DELETE FROM documents');
  await connection.query(`INSERT INTO documents VALUES (${expression})`);
  const [rows] = await connection.query<mysql.RowDataPacket[]>({
    sql: 'SELECT j FROM documents',
    typeCast: (field: { buffer(): Buffer | null }) => field.buffer(),
  });
  const text: unknown = rows[0]?.['j'];
  if (!Buffer.isBuffer(text)) throw new Error('expected a document');
  return text;
}

async function expectSameAgain(expression: string): Promise<Buffer> {
  const text = await store(expression);
  const again = await store(jsonLiteral(text).toString());
  expect(again.toString()).toBe(text.toString());
  return text;
}

describe('JSON literals', () => {
  it.each(KEYS)('lead to a decimal under the key %j', async (key) => {
    const text = await expectSameAgain(`JSON_OBJECT(${quoteString(key)}, 1.10, 'other', 2.50e0)`);
    expect(findUnstableNumbers(text)).toHaveLength(1);
  });

  it('lead to decimals under all these keys at once, nested', async () => {
    const members = KEYS.map((key) => {
      const name = quoteString(key);
      return `${name}, JSON_ARRAY(1.10, 2, JSON_OBJECT(${name}, 3.00, 'x', 4.5e0))`;
    });
    const text = await expectSameAgain(`JSON_OBJECT(${members.join(', ')})`);
    expect(findUnstableNumbers(text)).toHaveLength(2 * KEYS.length);
  });

  it.each([
    ...['1.10', '-0.10', '0.00', '100000000000000000000', '-99999999999999999999'],
    ...[`${'9'.repeat(35)}.${'9'.repeat(30)}`, '9'.repeat(65), `-0.${'0'.repeat(29)}1`],
  ])('keep the decimal %s, alone and at the greatest depth', async (decimal) => {
    await expectSameAgain(`CAST(${decimal} AS JSON)`);
    let document = decimal;
    for (let depth = 0; depth < 99; depth += 1) {
      document = depth % 2 === 0 ? `JSON_ARRAY(${document})` : `JSON_OBJECT('k', ${document})`;
    }
    expect(findUnstableNumbers(await expectSameAgain(document))).toHaveLength(1);
  });

  it('take 20,000 patches', async () => {
    const decimals = Array.from({ length: 20_000 }, (_, index) => `${index}.10`);
    const text = await expectSameAgain(`JSON_ARRAY(${decimals.join(', ')})`);
    expect(findUnstableNumbers(text)).toHaveLength(decimals.length);
  });

  it('know how MySQL prints every double, so that none is taken for a decimal', async () => {
    const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => {
      return new Float64Array(BigUint64Array.of(value).buffer)[0] ?? 0;
    });
    const common = fc
      .tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: -18, max: 18 }))
      .map(([value, exponent]) => value * 10 ** exponent);
    const short = fc
      .tuple(fc.integer(), fc.nat(16))
      .map(([value, decimals]) => value / 10 ** decimals);
    const values = fc
      .sample(fc.oneof(bits, common, short), 6000)
      .filter((value) => Number.isFinite(value));
    const literals = values.map((value) => value.toExponential().replace('e+', 'e'));
    const text = await store(`JSON_ARRAY(${literals.join(', ')})`);
    const tokens = text.toString().slice(1, -1).split(', ');
    expect(tokens.map(Number)).toStrictEqual(values.map((value) => value + 0));
    expect(tokens.filter((token) => !isStableNumber(token))).toStrictEqual([]);
    expect((await store(quoteString(text.toString()))).equals(text)).toBe(true);
  });
});
