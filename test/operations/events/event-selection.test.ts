/** Which transactions are shown: bounded, marked ones first, in the order of the log. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mark } from '../../../src/binlog/transaction-marks.js';
import { EventSelection } from '../../../src/operations/events/event-selection.js';

const MARK: Mark = { kind: 'drop', table: 't' };

interface Event {
  readonly at: bigint;
  readonly marks: readonly Mark[];
  readonly number: number;
}

const events = fc
  .array(fc.record({ at: fc.bigInt(0n, 1000n), isMarked: fc.boolean() }), { maxLength: 600 })
  .map((list) =>
    list.map(({ at, isMarked }, number): Event => ({ at, marks: isMarked ? [MARK] : [], number })),
  );

describe('the selection', () => {
  it('never shows more than the limit, and is in the order of the log', () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.bigInt(0n, 1000n)),
        (all, limit, around) => {
          const selection = new EventSelection<Event>(limit, around ?? undefined);
          for (const event of all) selection.add(event);
          const chosen = selection.chosen();
          expect(selection.count).toBe(all.length);
          expect(chosen.length).toBe(Math.min(limit, all.length));
          const numbers = chosen.map(({ number }) => number);
          expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
          const marked = all.filter(({ marks }) => marks.length > 0).length;
          expect(chosen.filter(({ marks }) => marks.length > 0).length).toBe(
            Math.min(limit, marked),
          );
        },
      ),
    );
  });

  it('is what choosing from all of them at once would be', () => {
    fc.assert(
      fc.property(
        events,
        fc.integer({ min: 1, max: 50 }),
        fc.bigInt(0n, 1000n),
        (all, limit, around) => {
          const selection = new EventSelection<Event>(limit, around);
          for (const event of all) selection.add(event);
          const far = ({ at }: Event): number => Math.abs(Number(at - around));
          const rank = (left: Event, right: Event): number =>
            right.marks.length - left.marks.length ||
            far(left) - far(right) ||
            left.number - right.number;
          const expected = [...all]
            .sort(rank)
            .slice(0, limit)
            .map(({ number }) => number);
          expect(selection.chosen().map(({ number }) => number)).toEqual(
            expected.sort((left, right) => left - right),
          );
        },
      ),
    );
  });
});
