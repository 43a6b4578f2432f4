import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnstableNumbers, isStableNumber } from '../../src/sql/json-numbers.js';
import { jsonLiteral } from '../../src/sql/json-literal.js';
import { jsonDocument } from './arbitraries.js';

/** What MySQL 9.7 prints for numbers; see test/integration for the server's own word. */
describe('isStableNumber', () => {
  it.each([
    ...['0', '-1', '9223372036854775807', '-9223372036854775808', '18446744073709551615'],
    ...['0.0', '-0.0', '1.0', '0.1', '-12.5', '0.30000000000000004', '100000000000000.0'],
    ...['0.00001', '0.000000000000001', '0.0000000000000012345678901234568'],
    ...['123456789012345.0', '1125899906842624.5', '2988108806295752.5', '1061336975368597.4'],
    ...['1e15', '1.5e300', '5e-324', '1.234567890123456e15'],
  ])('takes %s for a number that comes back as it is', (token) => {
    expect(isStableNumber(token)).toBe(true);
  });

  it.each([
    ...['18446744073709551616', '-9223372036854775809', '123456789012345678901234567890'],
    ...['0.00', '1.00', '1.10', '-0.50', '0.300000000000000040', '0.1000000000000000055511151231'],
    ...['1000000000000000.0', '123456789012345678.5', '0.0000000000000001'],
  ])('takes %s for a number that changes', (token) => {
    expect(isStableNumber(token)).toBe(false);
  });

  it('never trusts digits that a double does not hold', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,18})\.\d{1,25}$/), (token) => {
        if (!isStableNumber(token)) return;
        const digits = token
          .replace(/^-?0*\.?0*/, '')
          .replace('.', '')
          .replace(/0+$/, '');
        expect(digits.length).toBeLessThanOrEqual(17);
        expect(token.endsWith('0') && !token.endsWith('.0')).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('findUnstableNumbers', () => {
  function find(document: string): [string, string][] {
    return findUnstableNumbers(Buffer.from(document)).map(({ path, number }) => {
      return [path.toString(), number.toString()];
    });
  }

  it('gives the path of each', () => {
    const document =
      '{"a": [1, 2.50, {"b.c": 3.50, "": {"\\"]": [[4.50]]}}], "é": -5.50, "n": 1.5}';
    expect(find(document)).toStrictEqual([
      ['$."a"[1]', '2.50'],
      ['$."a"[2]."b.c"', '3.50'],
      ['$."a"[2].""."\\"]"[0][0]', '4.50'],
      ['$."é"', '-5.50'],
    ]);
  });

  it('knows a document that is a number alone', () => {
    expect(find('1.10')).toStrictEqual([['$', '1.10']]);
    expect(find('123456789012345678901')).toStrictEqual([['$', '123456789012345678901']]);
  });

  it('does not look into strings and keys', () => {
    expect(find('{"1.10": "\\\\", "x": "\\"1.10", "y": [true, null, false]}')).toStrictEqual([]);
  });

  it.each(['[1.10', '{1.10}', '1.10]', '["1.10, 1.10', '{"a": 1.10}}'])(
    'refuses %s, where the number has no place',
    (document) => {
      if (document.startsWith('["')) expect(find(document)).toStrictEqual([]);
      else expect(() => find(document)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
    },
  );

  it('leads to the numbers with its paths', () => {
    fc.assert(
      fc.property(jsonDocument, (document) => {
        for (const { path, number } of findUnstableNumbers(document)) {
          const found: unknown = lookUp(JSON.parse(document.toString()), path.toString());
          expect(found).toBe(Number(number.toString()));
        }
      }),
      { numRuns: 500 },
    );
  });

  /** A path as JSON_EXTRACT understands it. With a key twice, the first is as good as the last. */
  function lookUp(document: unknown, path: string): unknown {
    const legs = path.slice(1).match(/\[\d+\]|\."(?:[^"\\]|\\.)*"/gs) ?? [];
    expect(`$${legs.join('')}`).toBe(path);
    return legs.reduce<unknown>((value, leg) => {
      const key: unknown = JSON.parse(leg.startsWith('.') ? leg.slice(1) : leg.slice(1, -1));
      return (value as Record<string, unknown>)[String(key)];
    }, document);
  }
});

describe('jsonLiteral', () => {
  it('leaves a document that comes back by itself as text', () => {
    expect(jsonLiteral(Buffer.from('{"a": "it\'s"}')).toString()).toBe(`'{"a": "it\\'s"}'`);
  });

  it('sets the others again, exactly', () => {
    expect(jsonLiteral(Buffer.from('{"a\\\\": [1.10, 2.00]}')).toString()).toBe(
      String.raw`JSON_SET('{"a\\\\": [1.10, 2.00]}', '$."a\\\\"[0]', 1.10, '$."a\\\\"[1]', 2.00)`,
    );
  });
});
