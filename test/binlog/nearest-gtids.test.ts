// Goal: the neighbours of a GTID are the next ones of its source. Method: vectors, and a sort as the oracle.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NearestGtids } from '../../src/binlog/nearest-gtids.js';

const UUID = 'a1b2c3d4-0000-11ef-8000-000000000001';

function nearest(wanted: string, gtids: readonly string[]): object {
  const found = new NearestGtids(wanted);
  for (const gtid of gtids) found.add(gtid);
  return found.neighbours;
}

test('tags and sources are told apart, the servers of a domain are not', () => {
  const gtids = [`${UUID}:3`, `${UUID}:late:6`, `${UUID}:9`, `${UUID.replace('1', '2')}:6`];
  expect(nearest(`${UUID}:7`, gtids)).toEqual({ before: `${UUID}:3`, after: `${UUID}:9` });
  expect(nearest(`${UUID}:late:7`, gtids)).toEqual({ before: `${UUID}:late:6` });
  expect(nearest('0-2-50', ['0-1-49', '0-3-52', '7-1-51'])).toEqual({
    before: '0-1-49',
    after: '0-3-52',
  });
  expect(nearest('nonsense', gtids)).toEqual({});
});

test('the nearest of any, in any order', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 60 }), (present, wanted) => {
      const others = present.filter((one) => one !== wanted).sort((a, b) => a - b);
      const before = others.filter((one) => one < wanted).at(-1);
      const after = others.find((one) => one > wanted);
      expect(
        nearest(
          `${UUID}:${wanted}`,
          present.map((one) => `${UUID}:${one}`),
        ),
      ).toEqual({
        ...(before !== undefined && { before: `${UUID}:${before}` }),
        ...(after !== undefined && { after: `${UUID}:${after}` }),
      });
    }),
  );
});
