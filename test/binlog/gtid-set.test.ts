// Goal: sets of GTIDs behave as sets of numbers do, and are written as servers write and read them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GtidSet, MariaDbPosition } from '../../src/binlog/gtid-set.js';

const UUIDS = [
  '3e11fa47-71ca-11e1-9e33-c80aa9429562',
  '3e11fa47-71ca-11e1-9e33-c80aa9429563',
] as const;
const sources = fc.constantFrom(...UUIDS, `${UUIDS[0]}:tag_1`);
const gtids = fc.array(fc.tuple(sources, fc.integer({ min: 1, max: 30 })), { maxLength: 40 });

function setOf(members: readonly (readonly [string, number])[]): GtidSet {
  const set = new GtidSet();
  for (const [source, number] of members) set.add(`${source}:${number}`);
  return set;
}

describe('GtidSet', () => {
  it('is a set: union, containment and text agree with sets of single GTIDs', () => {
    fc.assert(
      fc.property(gtids, gtids, (left, right) => {
        const [a, b] = [setOf(left), setOf(right)];
        const singles = new Set(left.map((pair) => pair.join(':')));
        expect(a.contains(b)).toBe(right.every((pair) => singles.has(pair.join(':'))));
        const union = a.union(b);
        expect(union.toString()).toBe(setOf([...right, ...left]).toString());
        expect(union.contains(a) && union.contains(b)).toBe(true);
        expect(GtidSet.parse(a.toString()).toString()).toBe(a.toString());
      }),
    );
  });

  it('reads what servers print, and prints it in their order', () => {
    const text = `${UUIDS[1]}:5,\n${UUIDS[0].toUpperCase()}:1-3:4:9-10:b:2:a:1-7`;
    expect(GtidSet.parse(text).toString()).toBe(`${UUIDS[0]}:1-4:9-10:a:1-7:b:2,${UUIDS[1]}:5`);
    expect(GtidSet.parse('').isEmpty).toBe(true);
  });

  it('is encoded for the dump command, with and without tags', () => {
    const plain = GtidSet.parse(`${UUIDS[0]}:1-3`).encode();
    const uuid = UUIDS[0].replaceAll('-', '');
    expect(plain.toString('hex')).toBe(
      `0100000000000000${uuid}010000000000000001000000000000000400000000000000`,
    );
    const tagged = GtidSet.parse(`${UUIDS[0]}:ab:2`).encode();
    expect(tagged.toString('hex')).toBe(
      `0101000000000001${uuid}046162010000000000000002000000000000000300000000000000`,
    );
  });

  it.each(['x', UUIDS[0], `${UUIDS[0]}:0`, `${UUIDS[0]}:5-3`, `${UUIDS[0]}:A-B`])(
    'refuses %s',
    (text) => {
      expect(() => GtidSet.parse(text)).toThrow('expected a set of GTIDs');
    },
  );
});

describe('MariaDbPosition', () => {
  it('keeps the newest of each domain', () => {
    const position = MariaDbPosition.parse('1-2-7,0-1-5');
    position.add('0-3-6');
    expect(position.toString()).toBe('0-3-6,1-2-7');
    expect(() => {
      position.add('0-3');
    }).toThrow('expected a set of GTIDs');
  });
});
