/** Streams cut into chunks in every way. */
import fc from 'fast-check';

/** Where to cut, as fractions of the length. */
export type Cuts = readonly number[] | 'every byte';

export const cuts: fc.Arbitrary<Cuts> = fc.oneof(
  fc.constant([]),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
  fc.constant('every byte' as const),
);

/** Long streams are cut to single bytes only at their start, to save time. */
const SINGLE_BYTES_MAX = 2000;

/** Chunks that make up `stream`, none of them empty. */
export function cut(stream: Buffer, places: Cuts): Buffer[] {
  const length = Math.min(stream.length, SINGLE_BYTES_MAX);
  const offsets =
    places === 'every byte'
      ? Array.from({ length }, (_, index) => index)
      : places.map((place) => Math.round(place * stream.length)).sort((a, b) => a - b);
  const chunks = [...offsets, stream.length].map((end, index) => {
    return stream.subarray(offsets[index - 1] ?? 0, end);
  });
  return chunks.filter((chunk) => chunk.length > 0);
}
