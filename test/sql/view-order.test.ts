import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOrder } from '../../src/sql/view-order.js';

const order = (texts: Readonly<Record<string, string>>, lowerCaseTableNames = 0): string[] =>
  viewOrder(
    Object.entries(texts).map(([name, text]) => ({
      name,
      text: Buffer.from(`CREATE VIEW \`${name}\` AS ${text}`),
    })),
    { lowerCaseTableNames },
  );

describe('the order of views', () => {
  it('puts each after those that it reads, and else keeps the order given', () => {
    expect(order({ a: 'select 1 from `c`', b: 'select 1', c: 'select 1 from `b`' })).toEqual([
      'b',
      'c',
      'a',
    ]);
    expect(order({ z: 'select 1', a: 'select 1' })).toEqual(['z', 'a']);
    expect(order({})).toEqual([]);
  });

  it('finds views in subqueries, unions, joins and lists', () => {
    for (const text of [
      'select (select 1 from `b`)',
      'select 1 union select 1 from `b`',
      'select 1 from (`t` left join `b` on(1))',
      'select 1 from t, LibraryDB.b',
      'with x as (select 1 from `b`) select 1 from x',
      'select 1 where exists(select 1 from `b`)',
    ]) {
      expect(order({ a: text, b: 'select 1' }), text).toEqual(['b', 'a']);
    }
  });

  it('is not misled by strings and comments', () => {
    expect(order({ a: "select 'b' /* b */ -- b", b: 'select 1 from a' })).toEqual(['a', 'b']);
  });

  it('is not turned round by a column called like a view', () => {
    // a wants to come after b for its column's name, but b really reads a.
    expect(order({ b: 'select 1 from `a`', a: 'select `t`.`b` from `t`' })).toEqual(['a', 'b']);
    expect(order({ a: 'select `t`.`b` from `t`', b: 'select 1 from `a`' })).toEqual(['a', 'b']);
  });

  it('cuts real circles the same way each time', () => {
    const circle = {
      a: 'select 1 from b',
      b: 'select 1 from c',
      c: 'select 1 from a',
      d: 'select 1 from a',
    };
    expect(order(circle)).toEqual(order(circle));
    expect(order(circle)).toHaveLength(4);
    expect(order({ a: 'select 1 from a' })).toEqual(['a']);
  });

  it('compares names as the server does', () => {
    expect(order({ a: 'select 1 from `B`', b: 'select 1' })).toEqual(['a', 'b']);
    expect(order({ a: 'select 1 from `B`', b: 'select 1' }, 1)).toEqual(['b', 'a']);
  });

  it('holds for any views that read only those with a smaller number, in any order', () => {
    const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 30 });
    const numbers = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 });
    fc.assert(
      fc.property(edges, numbers, (pairs, names) => {
        const views = names.map((name) => {
          const reads = pairs.filter(([to, from]) => to === name && from < name);
          const list = ['t', ...reads.map(([, from]) => `v${from}`)].join(' join ');
          return {
            name: `v${name}`,
            text: Buffer.from(`create view v${name} as select v1.v2 from ${list}`),
          };
        });
        const sorted = viewOrder(views);
        expect([...sorted].sort()).toEqual(views.map(({ name }) => name).sort());
        for (const [to, from] of pairs) {
          if (from >= to) continue;
          expect(sorted.indexOf(`v${from}`)).toBeLessThan(sorted.indexOf(`v${to}`));
        }
      }),
    );
  });
});
