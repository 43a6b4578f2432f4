// Goal: the clause says every default in a form that either kind of server takes. Method: properties of
// the text; test/integration/database-defaults.test.ts runs it on servers.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultsClause, defaultsOf, hasDefaults } from '../../src/sql/database-defaults.js';

const plain = { characterSet: 'utf8mb4', collation: 'utf8mb4_bin' };

test('what only one kind of server knows stands in comments', () => {
  expect(defaultsClause(plain)).toBe('CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
  expect(defaultsClause({ ...plain, defaultEncryption: false })).toBe(
    "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin /*!80016 DEFAULT ENCRYPTION='N' */",
  );
  expect(defaultsClause({ ...plain, databaseComment: "it's" })).toBe(
    "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin /*M!100500 COMMENT 'it\\'s' */",
  );
});

test('no text ends the comment around it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[*/'\\a]{0,12}$/), (databaseComment) => {
      const clause = defaultsClause({ ...plain, databaseComment });
      expect(clause.indexOf('*/')).toBe(clause.length - 2);
    }),
  );
});

test('a name that is none is refused', () => {
  const wrong = { ...plain, collation: 'utf8mb4_bin; DROP TABLE book' };
  expect(() => defaultsClause(wrong)).toThrow(/expected a collation but found/);
  expect(() => defaultsClause({ ...plain, characterSet: '' })).toThrow(/expected a collation/);
});

test('what is left open may be anything', () => {
  const found = { ...plain, defaultEncryption: true };
  expect(hasDefaults(found, plain)).toBe(true);
  expect(hasDefaults(plain, found)).toBe(false);
  expect(hasDefaults({ ...plain, databaseComment: 'a' }, { ...plain, databaseComment: '' })).toBe(
    false,
  );
  const header = { ...found, rows: 5 };
  expect(defaultsOf(header)).toEqual(found);
});
