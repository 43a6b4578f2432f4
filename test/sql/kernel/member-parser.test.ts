/**
 * Goal: the kernel's parser is the inverse of the encoder, accepts what the typed parser accepts and
 * nothing else. Method: random members, whole and damaged, cut anywhere, read by both.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReshelveError } from '../../../src/errors.js';
import type { ColumnPlan } from '../../../src/sql/column-plan.js';
import { digestImages, parseInserts } from '../../../src/sql/insert-parser.js';
import { MemberParser, type ParsedMember } from '../../../src/sql/kernel/member-parser.js';
import { formatRowImage } from '../../../src/sql/row-image.js';
import { table } from '../arbitraries.js';
import { groupRows } from './protocol.js';
import { cut, cuts, type Cuts } from './random-streams.js';

const RUNS = process.env['SLOW'] === '1' ? 5000 : 1000;
/** Shrinking long documents would otherwise go on for hours. */
const SHRINKING = { interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true };
const PREFIX = Buffer.from('INSERT INTO `t` (`a`) VALUES\n');
const ONE_MEMBER = { statementBytesTarget: 300, memberBytesTarget: 2 ** 30 };

function parseByKernel(
  sql: Buffer,
  columns: readonly ColumnPlan[],
  places: Cuts = [],
): ParsedMember | 'DAMAGED' {
  return orDamaged(() => {
    const parser = new MemberParser({ insertPrefix: PREFIX, columns });
    for (const chunk of cut(sql, places)) parser.push(chunk);
    return parser.finish();
  });
}

function parseTyped(sql: Buffer, columns: readonly ColumnPlan[]): ParsedMember | 'DAMAGED' {
  return orDamaged(() => {
    const { images, ...counts } = parseInserts(sql, PREFIX, columns);
    return { digest: digestImages(images), ...counts };
  });
}

function orDamaged(parse: () => ParsedMember): ParsedMember | 'DAMAGED' {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ReshelveError && error.code === 'DAMAGED') return 'DAMAGED';
    throw error;
  }
}

describe('MemberParser', () => {
  it('finds the rows that were encoded, wherever the text is cut', () => {
    fc.assert(
      fc.property(table({ maxRows: 12 }), cuts, ({ columns, rows }, places) => {
        const images = rows.map(formatRowImage);
        const [member] = groupRows(images, columns, PREFIX, ONE_MEMBER);
        expect(parseByKernel(member?.sql ?? Buffer.alloc(0), columns, places)).toStrictEqual({
          digest: digestImages(images),
          statements: member?.statements ?? 0,
          longestStatement: member?.longestStatement ?? 0,
        });
      }),
      { numRuns: RUNS, ...SHRINKING },
    );
  });

  it('judges damaged text as the typed parser does', () => {
    const change = fc.record({
      offset: fc.nat(),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from("'\\,();\n0x1.e+-NULL"))),
      kind: fc.constantFrom('replace', 'insert', 'remove'),
    });
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    let found = 0;
    fc.assert(
      fc.property(table({ maxRows: 4 }), changes, cuts, ({ columns, rows }, edits, places) => {
        const images = rows.map(formatRowImage);
        const [member] = groupRows(images, columns, PREFIX, ONE_MEMBER);
        let sql = member?.sql ?? Buffer.alloc(0);
        for (const { offset, byte, kind } of edits) {
          const start = offset % (sql.length + 1);
          const kept = sql.subarray(kind === 'insert' ? start : start + 1);
          const added = kind === 'remove' ? Buffer.alloc(0) : Buffer.of(byte);
          sql = Buffer.concat([sql.subarray(0, start), added, kept]);
        }
        const judgement = parseByKernel(sql, columns, places);
        if (judgement === 'DAMAGED') found += 1;
        expect(judgement).toStrictEqual(parseTyped(sql, columns));
      }),
      { numRuns: RUNS * 4, ...SHRINKING },
    );
    expect(found).toBeGreaterThan(RUNS);
  });

  const DOCUMENT: ColumnPlan = { name: 'j', expression: '`j`', encoding: 'json' };
  const BINARY: ColumnPlan = { ...DOCUMENT, encoding: 'binary' };
  const REAL: ColumnPlan = { ...DOCUMENT, encoding: 'real' };
  const SJIS: ColumnPlan = { ...DOCUMENT, encoding: 'charset', introducer: '_sjis' };

  it.each<[string, ColumnPlan, string]>([
    ['a missing patch', DOCUMENT, `'[1.10]'`],
    ['a patch of another number', DOCUMENT, `JSON_SET('[1.10]', '$[0]', 1.20)`],
    ['a patch at another place', DOCUMENT, `JSON_SET('[1.10]', '$[1]', 1.10)`],
    ['a patch too many', DOCUMENT, `JSON_SET('[1.10]', '$[0]', 1.10, '$[1]', 1.10)`],
    ['a needless patch', DOCUMENT, `JSON_SET('[1.5]', '$[0]', 1.5)`],
    ['lower-case hex', BINARY, '0xab'],
    ['half a byte', BINARY, '0xABC'],
    ['hex of nothing', BINARY, '0x'],
    ['text for short bytes', BINARY, `_binary 'x'`],
    ['hex for long bytes', BINARY, `0x${'AB'.repeat(2 ** 20 + 1)}`],
    ['a real without exponent', REAL, '1.5'],
    ['an exponent appended to an exponent', REAL, '1e5e0'],
    ['another introducer', SJIS, '_gbk 0x41'],
    ['an introducer before nothing', SJIS, `_sjis ''`],
    ['needless escapes', SJIS, `'\\a'`],
    ['DEFAULT', SJIS, 'DEFAULT'],
  ])('refuses %s', (_name, column, literal) => {
    const sql = Buffer.concat([PREFIX, Buffer.from(`(${literal});\n`)]);
    expect(parseByKernel(sql, [column])).toBe('DAMAGED');
    expect(parseTyped(sql, [column])).toBe('DAMAGED');
  });

  it.each<[string, ColumnPlan, string]>([
    ['a point behind an exponent', DOCUMENT, `'[-1.5e-18.]'`],
    ['patches', DOCUMENT, `JSON_SET('[1.10]', '$[0]', 1.10)`],
    ['a negative zero', REAL, '-0e0'],
    ['the longest hex', BINARY, `0x${'AB'.repeat(2 ** 20)}`],
    ['the shortest raw bytes', BINARY, `_binary '${'x'.repeat(2 ** 20 + 1)}'`],
    ['an introducer', SJIS, '_sjis 0x835C'],
  ])('takes %s', (_name, column, literal) => {
    const sql = Buffer.concat([PREFIX, Buffer.from(`(${literal});\n`)]);
    expect(parseByKernel(sql, [column])).toMatchObject({ digest: { rows: 1 } });
    expect(parseByKernel(sql, [column])).toStrictEqual(parseTyped(sql, [column]));
  });

  it('reads one member after the other, each with its own digest', () => {
    const parser = new MemberParser({ insertPrefix: PREFIX, columns: [SJIS] });
    const sql = Buffer.concat([PREFIX, Buffer.from("('');\n")]);
    parser.push(sql);
    const first = parser.finish();
    parser.push(Buffer.concat([sql, sql]));
    expect(parser.finish()).toStrictEqual({
      digest: { rows: 2, sum: doubled(first.digest.sum), xor: '0'.repeat(16) },
      statements: 2,
      longestStatement: sql.length,
    });
  });

  function doubled(sum: string): string {
    const value = BigInt.asUintN(64, 2n * BigInt(`0x${sum}`));
    return value.toString(16).padStart(16, '0');
  }
});
