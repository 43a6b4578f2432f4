/** A secret shows itself nowhere but through reveal(). */
import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.js';

test('every way of turning it into text gives [secret]', () => {
  const secret = new Secret('hunter2');
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ deep: { secret } }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
    Object.entries(secret).join(),
    JSON.stringify(structuredClone(secret)),
    [secret].join(),
  ];
  for (const text of shown) expect(text).not.toContain('hunter2');
  expect(String(secret)).toBe('[secret]');
  expect(secret.reveal()).toBe('hunter2');
  expect([secret.isEmpty, new Secret('').isEmpty]).toEqual([false, true]);
});
