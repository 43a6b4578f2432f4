/**
 * Goal: the kernel writes exactly what the typed encoder writes, and what is no result set is
 * refused. Method: random tables as packets, cut anywhere, compared with the rules of grouping
 * written out in protocol.ts; then damaged packets, and rows at the limits of the protocol.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReshelveError } from '../../../src/errors.js';
import type { ColumnPlan } from '../../../src/sql/column-plan.js';
import { digestImages } from '../../../src/sql/insert-parser.js';
import {
  RowEncoder,
  type RowEncoderOptions,
  type SqlPiece,
} from '../../../src/sql/kernel/row-encoder.js';
import { Kernel } from '../../../src/sql/kernel/kernel.js';
import { formatRowImage } from '../../../src/sql/row-image.js';
import { table } from '../arbitraries.js';
import { endPayload, errorPayload, groupRows, packets, type Targets } from './protocol.js';
import { cut, cuts } from './random-streams.js';

const RUNS = process.env['SLOW'] === '1' ? 5000 : 1000;
/** Shrinking long documents would otherwise go on for hours. */
const SHRINKING = { interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true };
const PREFIX = Buffer.from('INSERT INTO `t` (`a`) VALUES\n');
const TEXT: ColumnPlan = { name: 'a', expression: '`a`', encoding: 'text' };
const OPTIONS: RowEncoderOptions = {
  ...{ insertPrefix: PREFIX, columns: [TEXT], sequenceId: 0 },
  ...{ statementBytesTarget: 2 ** 18, memberBytesTarget: 2 ** 21 },
};

const targets: fc.Arbitrary<Targets> = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 6000 }))
  .map(([statementBytesTarget, more]) => {
    return { statementBytesTarget, memberBytesTarget: statementBytesTarget + more };
  });

function pushAll(encoder: RowEncoder, chunks: readonly Buffer[], lent?: Kernel): SqlPiece[] {
  return chunks.flatMap((chunk) => {
    // The encoder may not keep the chunk: what it was made of is overwritten.
    const transient = Buffer.from(chunk);
    const pieces = owned(encoder.push(transient));
    while (encoder.isBeforeHugeRow) {
      pieces.push(...owned(encoder.enterHugeRow(lent ?? new Kernel())));
    }
    transient.fill(0xee);
    return pieces;
  });
}

/** What is lent is overwritten by the next huge row. */
function owned(pieces: readonly SqlPiece[]): SqlPiece[] {
  return pieces.map((piece) => (piece.isLent ? { ...piece, sql: Buffer.from(piece.sql) } : piece));
}

/** Strings are compared far faster than buffers. */
function readable(pieces: readonly SqlPiece[]): unknown[] {
  return pieces.map(({ sql, rows, statements, longestStatement }) => {
    return { rows, statements, longestStatement, sql: sql.toString('latin1') };
  });
}

/** One row of one value. */
function row(value: Buffer | string): Buffer {
  return formatRowImage([Buffer.from(value)]);
}

describe('RowEncoder', () => {
  it('writes what the typed encoder writes, wherever the stream is cut', () => {
    const encoder = new RowEncoder(OPTIONS);
    fc.assert(
      fc.property(
        table({ maxRows: 12 }),
        targets,
        cuts,
        fc.nat(255),
        (random, sizes, places, id) => {
          const { columns } = random;
          const images = random.rows.map(formatRowImage);
          const stream = packets([...images, endPayload(3, 0x22)], id);
          encoder.reset({ insertPrefix: PREFIX, columns, sequenceId: id, ...sizes });
          const pieces = pushAll(encoder, cut(stream, places));
          expect(readable(pieces)).toStrictEqual(
            readable(groupRows(images, columns, PREFIX, sizes)),
          );
          expect(encoder.end).toStrictEqual({
            ...{ kind: 'end', warnings: 3, statusFlags: 0x22, leftover: Buffer.alloc(0) },
            digest: digestImages(images),
          });
        },
      ),
      { numRuns: RUNS, ...SHRINKING },
    );
  });

  it('gives the same digest without making SQL', () => {
    const encoder = new RowEncoder({ ...OPTIONS, hashOnly: true });
    fc.assert(
      fc.property(table({ maxRows: 12 }), cuts, ({ columns, rows }, places) => {
        const images = rows.map(formatRowImage);
        encoder.reset({ ...OPTIONS, columns, hashOnly: true });
        const pieces = pushAll(encoder, cut(packets([...images, endPayload(0, 2)], 0), places));
        expect(pieces).toStrictEqual([]);
        expect(encoder.end).toMatchObject({ kind: 'end', digest: digestImages(images) });
      }),
      { numRuns: RUNS, ...SHRINKING },
    );
  });

  it('never crashes or hangs on bytes that are no result set', () => {
    const encoder = new RowEncoder(OPTIONS);
    fc.assert(
      fc.property(
        table({ maxRows: 6 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        cuts,
        ({ columns, rows }, changes, places) => {
          const stream = packets([...rows.map(formatRowImage), endPayload(0, 2)], 0);
          for (const [offset, byte] of changes) stream[offset % stream.length] = byte;
          encoder.reset({ ...OPTIONS, columns });
          try {
            for (const chunk of cut(stream, places)) {
              if (encoder.end === undefined) pushAll(encoder, [chunk]);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ReshelveError);
            expect(error).toHaveProperty('code', 'PROTOCOL');
          }
        },
      ),
      { numRuns: RUNS * 4, ...SHRINKING },
    );
  });

  it('hands back what follows the end, and the error that the server sent', () => {
    const encoder = new RowEncoder(OPTIONS);
    const stream = packets([row('x'), errorPayload(1317, '70100', 'interrupted')], 0);
    encoder.push(Buffer.concat([stream, Buffer.from('next answer')]));
    expect(encoder.end).toStrictEqual({
      ...{ kind: 'error', errno: 1317, sqlState: '70100' },
      message: Buffer.from('interrupted'),
      leftover: Buffer.from('next answer'),
    });
  });

  it('keeps what follows the end also beyond its own buffer', () => {
    const encoder = new RowEncoder(OPTIONS);
    const rest = Buffer.alloc(700_000, 'z');
    encoder.push(Buffer.concat([packets([row('x'), endPayload(0, 0)], 0), rest]));
    expect(encoder.end?.leftover.equals(rest)).toBe(true);
  });

  it.each<[string, Buffer]>([
    ['a packet out of sequence', packets([row('x'), row('y')], 1)],
    ['an empty packet', packets([Buffer.alloc(0)], 0)],
    ['a row with a column too few', packets([Buffer.from([0xfb, 0xfb])], 0)],
    ['a row that ends within a value', packets([Buffer.from([5, 0x61])], 0)],
    ['a length that is longer than need be', packets([Buffer.from([0xfc, 1, 0, 0x61])], 0)],
    ['a length beyond all bounds', packets([Buffer.concat([Buffer.alloc(9, 0xfe), row('x')])], 0)],
    ['an end of the wrong size', packets([Buffer.from([0xfe, 0, 0, 0, 0, 0])], 0)],
    ['an error packet cut short', packets([Buffer.from([0xff, 1])], 0)],
  ])('refuses %s', (_name, stream) => {
    const encoder = new RowEncoder(OPTIONS);
    expect(() => encoder.push(stream)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  it.each(['', '-', '1,2', "1'", '1 ', '0x10', '1e5', 'nan', `${'1'.repeat(40)};`])(
    'writes nothing but numbers unquoted, so not %j',
    (text) => {
      const encoder = new RowEncoder({ ...OPTIONS, columns: [{ ...TEXT, encoding: 'number' }] });
      const stream = packets([row(text)], 0);
      expect(() => encoder.push(stream)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    },
  );

  it.each(['', '1,2', "1'", '1E5', '1e0', 'inf', `${'1'.repeat(40)};`])(
    'writes nothing but numbers unquoted for reals, so not %j',
    (text) => {
      const encoder = new RowEncoder({ ...OPTIONS, columns: [{ ...TEXT, encoding: 'real' }] });
      const stream = packets([row(text)], 0);
      expect(() => encoder.push(stream)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    },
  );
});

/** Rows beyond 16 MiB come in several packets, and have statements and members of their own. */
describe('RowEncoder with giant rows', () => {
  const BINARY: ColumnPlan = { ...TEXT, encoding: 'binary' };

  it.each([2 ** 24 - 6, 2 ** 24 - 5, 2 ** 24 - 4, 2 * (2 ** 24 - 1) - 9])(
    'writes a blob of %i bytes as the typed encoder does',
    (length) => {
      const blob = Buffer.alloc(length, "\0giant's row\n");
      const images = [row('before'), row(blob), row(Buffer.alloc(2 ** 20 + 1, 'x')), row('after')];
      const stream = packets([...images, endPayload(0, 2)], 7);
      const encoder = new RowEncoder({ ...OPTIONS, columns: [BINARY], sequenceId: 7 });
      const chunks = cut(stream, [0, 0.1, 0.5, 0.500_001, 0.999_999]);
      const pieces = pushAll(encoder, chunks);
      const expected = groupRows(images, [BINARY], PREFIX, OPTIONS);
      expect(readable(pieces)).toStrictEqual(readable(expected));
    },
  );

  it('needs hardly more memory than the row and its SQL, and that in the kernel that is lent', () => {
    const blob = Buffer.alloc(60_000_000, 'x');
    const encoder = new RowEncoder({ ...OPTIONS, columns: [BINARY] });
    const huge = new Kernel();
    const small = Array<Buffer>(20).fill(row(Buffer.alloc(900_000)));
    const stream = packets([...small, row(blob), ...small, endPayload(0, 2)], 0);
    const pieces = pushAll(encoder, [stream], huge);
    expect(encoder.end).toMatchObject({ digest: { rows: 41 } });
    expect(Math.max(...pieces.map((piece) => piece.sql.length))).toBeGreaterThan(blob.length);
    expect(encoder.memoryBytes).toBeLessThan(8_000_000);
    expect(huge.memoryBytes).toBeLessThan(2 * blob.length + 8_000_000);
  });

  it('stops before each huge row, in SQL and where only the digest is wanted', () => {
    const blob = Buffer.alloc(4 * 2 ** 20, 'x');
    const images = [row('before'), row(blob), row(blob), row('after')];
    const stream = packets([...images, endPayload(0, 2)], 0);
    for (const hashOnly of [false, true]) {
      const encoder = new RowEncoder({ ...OPTIONS, columns: [BINARY], hashOnly });
      const first = encoder.push(stream);
      expect(first.map((piece) => piece.rows)).toEqual(hashOnly ? [] : [1]);
      let stops = 0;
      for (const huge = new Kernel(); encoder.isBeforeHugeRow; stops += 1) {
        encoder.enterHugeRow(huge);
        expect(encoder.isInHugeRow).toBe(false);
      }
      expect(stops).toBe(2);
      expect(encoder.end).toMatchObject({ digest: digestImages(images) });
    }
  });

  it('starts anew after a stream that ended within a huge row', () => {
    const encoder = new RowEncoder({ ...OPTIONS, columns: [BINARY] });
    encoder.push(packets([row(Buffer.alloc(5 * 2 ** 20))], 0).subarray(0, 1000));
    encoder.enterHugeRow(new Kernel());
    expect(encoder.isInHugeRow).toBe(true);
    encoder.reset({ ...OPTIONS, columns: [BINARY] });
    expect(encoder.isInHugeRow).toBe(false);
    const pieces = pushAll(encoder, [packets([row('small'), endPayload(0, 2)], 0)]);
    expect(pieces.map((piece) => piece.rows)).toEqual([1]);
  });
});
