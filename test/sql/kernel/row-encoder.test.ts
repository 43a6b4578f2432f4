import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowEncoder, type SqlPiece } from '../../../src/sql/kernel/row-encoder.js';
import { digestImages } from '../../../src/sql/insert-parser.js';
import { formatRowImage } from '../../../src/sql/row-image.js';
import { table, type Table } from '../arbitraries.js';
import { endPayload, errorPayload, groupRows, packets, type Targets } from './protocol.js';

const PREFIX = Buffer.from('INSERT INTO `t` (`a`) VALUES\n');
const RUNS = process.env['SLOW'] === '1' ? 5000 : 300;

const targets: fc.Arbitrary<Targets> = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 6000 }))
  .map(([statementBytesTarget, more]) => {
    return { statementBytesTarget, memberBytesTarget: statementBytesTarget + more };
  });

/** Cuts `stream` at the given fractions of its length, or into single bytes. */
const cuts: fc.Arbitrary<readonly number[] | 'every byte'> = fc.oneof(
  fc.constant([]),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
  fc.constant('every byte' as const),
);

function cut(stream: Buffer, places: readonly number[] | 'every byte'): Buffer[] {
  const fractions = places === 'every byte' ? everyByte(stream.length) : places;
  const offsets = fractions.map((place) => Math.round(place * stream.length)).sort((a, b) => a - b);
  const chunks = [...offsets, stream.length].map((end, index) => {
    return stream.subarray(offsets[index - 1] ?? 0, end);
  });
  return chunks.filter((chunk) => chunk.length > 0);
}

/** Long streams are cut to single bytes only at their start, to save time. */
function everyByte(length: number): number[] {
  return Array.from({ length: Math.min(length, 2000) }, (_, index) => index / length);
}

function pushAll(encoder: RowEncoder, chunks: readonly Buffer[]): SqlPiece[] {
  return chunks.flatMap((chunk) => {
    // The encoder may not keep the chunk: what it was made of is overwritten.
    const transient = Buffer.from(chunk);
    const pieces = encoder.push(transient);
    transient.fill(0xee);
    return [...pieces];
  });
}

function imagesOf({ rows }: Table): Buffer[] {
  return rows.map(formatRowImage);
}

describe('RowEncoder', () => {
  it('writes what the typed encoder writes, wherever the stream is cut', () => {
    const encoder = new RowEncoder({
      insertPrefix: PREFIX,
      columns: [{ name: 'a', expression: '`a`', encoding: 'text' }],
      ...{ statementBytesTarget: 1, memberBytesTarget: 1, sequenceId: 0 },
    });
    fc.assert(
      fc.property(
        table({ maxRows: 12 }),
        targets,
        cuts,
        fc.nat(255),
        (random, sizes, places, id) => {
          const images = imagesOf(random);
          const stream = packets([...images, endPayload(3, 0x22)], id);
          const { columns } = random;
          encoder.reset({ insertPrefix: PREFIX, columns, sequenceId: id, ...sizes });
          const pieces = pushAll(encoder, cut(stream, places));
          expect(pieces).toStrictEqual(groupRows(images, columns, PREFIX, sizes));
          expect(encoder.end).toStrictEqual({
            ...{ kind: 'end', warnings: 3, statusFlags: 0x22, leftover: Buffer.alloc(0) },
            digest: digestImages(images),
          });
        },
      ),
      { numRuns: RUNS },
    );
  });
});
