import { describe, expect, it } from 'vitest';
import {
  planColumn,
  planColumns,
  type ColumnFacts,
  type ColumnPlan,
} from '../../src/sql/column-plan.js';

function facts(columnType: string, more: Partial<ColumnFacts> = {}): ColumnFacts {
  return {
    ...{ name: 'a`b', dataType: columnType.replace(/[ (].*/s, ''), columnType },
    ...{ characterSet: null, collation: null, generationExpression: '', extra: '' },
    ...more,
  };
}

function plan(columnType: string, more: Partial<ColumnFacts> = {}): Omit<ColumnPlan, 'name'> {
  const planned = planColumn(facts(columnType, more), 'mysql');
  if (planned === undefined) throw new Error('expected a plan');
  const { name, ...rest } = planned;
  expect(name).toBe('a`b');
  return rest;
}

const AS_IS = '`a``b`';

describe('planColumn', () => {
  it.each(['tinyint(1)', 'int unsigned', 'bigint(20) zerofill', 'decimal(65,30)'])(
    'reads %s as a number',
    (type) => {
      expect(plan(type)).toStrictEqual({ expression: AS_IS, encoding: 'number' });
    },
  );

  it('reads a plain DOUBLE as it is', () => {
    expect(plan('double')).toStrictEqual({ expression: AS_IS, encoding: 'real' });
  });

  it.each(['float', 'float(7,3)', 'float unsigned', 'double(20,2)', 'double unsigned zerofill'])(
    'reads %s with all its digits',
    (type) => {
      expect(plan(type)).toStrictEqual({ expression: 'CAST(`a``b` AS DOUBLE)', encoding: 'real' });
    },
  );

  it.each(['date', 'time(6)', 'datetime(3)', 'timestamp', 'year'])('reads %s as text', (type) => {
    expect(plan(type)).toStrictEqual({ expression: AS_IS, encoding: 'text' });
  });

  it.each(['binary(16)', 'longblob', 'bit(64)', 'geomcollection', 'point', 'vector(3)'])(
    'reads %s as bytes',
    (type) => {
      expect(plan(type)).toStrictEqual({ expression: AS_IS, encoding: 'binary' });
    },
  );

  it.each(['utf8mb4', 'utf8mb3', 'utf8', 'latin1', 'ascii'])('reads %s text as text', (set) => {
    expect(plan('varchar(9)', { characterSet: set })).toStrictEqual({
      ...{ expression: AS_IS, encoding: 'text' },
    });
  });

  it.each(['sjis', 'gbk', 'utf16', 'latin2', 'ucs2'])('reads %s text as its own bytes', (set) => {
    expect(plan('longtext', { characterSet: set })).toStrictEqual({
      ...{ expression: 'CAST(`a``b` AS BINARY)', encoding: 'charset', introducer: `_${set}` },
    });
  });

  it('reads JSON as JSON on MySQL; MariaDB has it as LONGTEXT', () => {
    expect(plan('json')).toStrictEqual({ expression: AS_IS, encoding: 'json' });
    expect(() => planColumn(facts('json'), 'mariadb')).toThrow(/unknown type/);
  });

  it.each(['uuid', 'inet6', 'inet4'])('knows %s on MariaDB alone', (type) => {
    expect(planColumn(facts(type), 'mariadb')).toMatchObject({ encoding: 'text' });
    expect(() => planColumn(facts(type), 'mysql')).toThrow(/unknown type/);
  });

  it('refuses a type it does not know, by name', () => {
    expect(() => planColumn(facts('xmltype(9)'), 'mariadb')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: 'column a`b has unknown type xmltype(9)',
      }),
    );
  });

  it.each([
    { generationExpression: '`a` + 1', extra: 'VIRTUAL GENERATED' },
    { generationExpression: 'ROW START', extra: 'STORED GENERATED, INVISIBLE' },
    { generationExpression: null, extra: 'VIRTUAL GENERATED' },
  ])('leaves out generated columns: %j', (more) => {
    expect(planColumn(facts('int', more), 'mysql')).toBeUndefined();
  });

  it.each(['DEFAULT_GENERATED', 'DEFAULT_GENERATED on update CURRENT_TIMESTAMP', 'INVISIBLE'])(
    'keeps columns that are not, though EXTRA is %s',
    (extra) => {
      expect(plan('datetime', { extra })).toMatchObject({ encoding: 'text' });
    },
  );
});

describe('planColumn for ENUM and SET', () => {
  const LATIN = { characterSet: 'latin1', collation: 'latin1_swedish_ci' };
  const NUMBER = { expression: 'CAST(`a``b` AS UNSIGNED)', encoding: 'number' };
  const TEXT = { expression: AS_IS, encoding: 'text' };

  it.each([
    "enum('a','b')",
    "set('x','y','z')",
    "enum('it''s','a,b',') ')",
    "ENUM('new','loaned','returned')",
  ])('reads %s by name', (type) => {
    expect(plan(type, { ...LATIN, dataType: type.slice(0, type.indexOf('(')) })).toStrictEqual(
      TEXT,
    );
  });

  it.each([
    "enum('a','')", // the error value looks like the empty member
    "set('','b')",
    "enum('a','A')", // equal under the collation
    "enum('y','i')",
    "enum('a','a ')",
    "enum('ä','b')",
    "enum('back\\slash')",
    "enum('a'b')", // not a list that is understood
  ])('reads %s by number', (type) => {
    expect(plan(type, LATIN)).toStrictEqual(NUMBER);
  });

  it('trusts differing members under a binary collation', () => {
    const binary = { characterSet: 'utf8mb4', collation: 'utf8mb4_bin' };
    expect(plan("enum('a','A','ä','😀')", binary)).toStrictEqual(TEXT);
    expect(plan("enum('a','')", binary)).toStrictEqual(NUMBER);
  });

  it.each(['sjis', 'utf16', 'binary'])('reads members in %s by number', (characterSet) => {
    expect(plan("enum('a','b')", { characterSet, collation: null })).toStrictEqual(NUMBER);
  });
});

describe('planColumns', () => {
  const generated = facts('int', {
    name: 'g',
    generationExpression: '1',
    extra: 'VIRTUAL GENERATED',
  });

  it('keeps the order of the stored columns', () => {
    const columns = [facts('int', { name: 'b' }), generated, facts('date', { name: 'a' })];
    expect(planColumns(columns, 'mysql').map(({ name }) => name)).toStrictEqual(['b', 'a']);
  });

  it('keeps one generated column where there is no other', () => {
    expect(planColumns([generated, generated], 'mysql')).toStrictEqual([
      { name: 'g', expression: 'NULL', encoding: 'default' },
    ]);
  });
});
