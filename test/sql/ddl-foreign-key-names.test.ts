import { expect, it } from 'vitest';
import { withQuotedForeignKeys } from '../../src/sql/ddl-foreign-key-names.js';
import type { ForeignKeyNames } from '../../src/sql/ddl-foreign-key-names.js';

const KEY: ForeignKeyNames = {
  constraint: 'fk`x',
  columns: ['parent', 'two`'],
  referencedTable: 'back`tick',
  referencedColumns: ['`', 'ü`'],
};
const COMMENT = "  `c` int COMMENT 'CONSTRAINT `fk`x` FOREIGN KEY (`parent`, `two``)',";
const PRINTED =
  'CONSTRAINT `fk`x` FOREIGN KEY (`parent`, `two``) REFERENCES `back``tick` (```, `ü``)';
const RIGHT =
  'CONSTRAINT `fk``x` FOREIGN KEY (`parent`, `two```) REFERENCES `back``tick` (````, `ü```)';

function table(...clauses: string[]): string {
  return ['CREATE TABLE `t` (', COMMENT, clauses.join(',\n'), ') ENGINE=InnoDB'].join('\n');
}

function quoted(text: string, ...keys: ForeignKeyNames[]): string {
  return withQuotedForeignKeys(Buffer.from(text), keys).toString();
}

it('doubles the backticks that the server left single, and nothing else', () => {
  expect(quoted(table(`  ${PRINTED} ON DELETE CASCADE`), KEY)).toBe(
    table(`  ${RIGHT} ON DELETE CASCADE`),
  );
});

it('leaves what a server printed right', () => {
  expect(quoted(table(`  ${RIGHT}`), KEY)).toBe(table(`  ${RIGHT}`));
});

it('mends several keys of a table, in whatever order they are given', () => {
  const other = { ...KEY, constraint: 'a`', columns: ['a'], referencedColumns: ['b`'] };
  const printed = 'CONSTRAINT `a`` FOREIGN KEY (`a`) REFERENCES `back``tick` (`b``)';
  const right = 'CONSTRAINT `a``` FOREIGN KEY (`a`) REFERENCES `back``tick` (`b```)';
  const expected = table(`  ${right}`, `  ${RIGHT}`);
  for (const keys of [
    [KEY, other],
    [other, KEY],
  ]) {
    expect(quoted(table(`  ${printed}`, `  ${PRINTED}`), ...keys)).toBe(expected);
  }
});

it('names the database of a table elsewhere', () => {
  const key = { ...KEY, columns: ['p'], referencedColumns: ['q'], referencedDatabase: 'o`db' };
  expect(
    quoted(
      table('  CONSTRAINT `fk`x` FOREIGN KEY (`p`) REFERENCES `o``db`.`back``tick` (`q`)'),
      key,
    ),
  ).toContain('CONSTRAINT `fk``x` FOREIGN KEY (`p`) REFERENCES `o``db`.`back``tick` (`q`)');
});
