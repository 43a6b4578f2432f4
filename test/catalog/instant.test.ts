import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, isoOf, microsOf, parseInstant } from '../../src/catalog/instant.js';

const parse = (text: string, zone = 'Europe/Berlin'): string =>
  isoOf(parseInstant(text, zone, '--to'));

describe('times as people write them', () => {
  it.each([
    ['2026-01-02 15:29:00', '2026-01-02T14:29:00.000000Z'],
    ['2026-01-02 15:29', '2026-01-02T14:29:00.000000Z'],
    ['2026-07-02T15:29:00.5', '2026-07-02T13:29:00.500000Z'],
    ['2026-01-02 15:29:00.123456', '2026-01-02T14:29:00.123456Z'],
    ['2026-01-02T15:29:00Z', '2026-01-02T15:29:00.000000Z'],
    ['2026-01-02 15:29:00 UTC', '2026-01-02T15:29:00.000000Z'],
    ['2026-01-02 15:29:00+02:00', '2026-01-02T13:29:00.000000Z'],
    ['2026-01-02 15:29:00-0530', '2026-01-02T20:59:00.000000Z'],
    ['2026-10-25 02:30:00+01:00', '2026-10-25T01:30:00.000000Z'],
  ])('%s', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });

  it.each([
    ['2026-03-29 02:30:00', 'skip that time'],
    ['2026-10-25 02:30:00', "'2026-10-25T00:30:00Z' or '2026-10-25T01:30:00Z'"],
    ['2026-02-30 12:00:00', 'real date'],
    ['2026-01-02 24:00:00', 'real date'],
    ['2026-01-02', 'expected a time such as'],
    ['yesterday', 'expected a time such as'],
    ['2026-01-02 15:29:00.1234567', 'expected a time such as'],
  ])('refuses %s', (text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  it('reads back what it prints, in every zone, unless clocks show it twice', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
    ];
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }),
        fc.constantFrom(...zones),
        (instant, zone) => {
          const shown = formatInstant(instant, zone);
          try {
            expect(parseInstant(shown, zone, '--to')).toBe(instant);
          } catch (error) {
            expect(String(error)).toContain('twice');
          }
          expect(microsOf(isoOf(instant))).toBe(instant);
        },
      ),
    );
  });
});
