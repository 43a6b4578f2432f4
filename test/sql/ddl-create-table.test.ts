/**
 * Goal: what is put off can be added later and gives the same table; everything doubtful stays.
 * Method: texts as SHOW CREATE TABLE prints them; integration/sql-text.test.ts runs them.
 */
import { describe, expect, it } from 'vitest';
import { splitCreateTable } from '../../src/sql/ddl-create-table.js';
import type { SplitTableOptions } from '../../src/sql/ddl-create-table.js';

interface Split {
  readonly text: string;
  readonly indexes: readonly string[];
  readonly foreignKeys: readonly string[];
}

function split(
  lines: readonly string[],
  tail = 'ENGINE=InnoDB',
  options?: SplitTableOptions,
): Split {
  const text = `CREATE TABLE \`t\` (\n  ${lines.join(',\n  ')}\n) ${tail}`;
  const parts = splitCreateTable(Buffer.from(text), options);
  return {
    text: parts.withoutSecondary.toString(),
    indexes: parts.addIndexes,
    foreignKeys: parts.addForeignKeys,
  };
}

const columns = [
  '`id` int NOT NULL AUTO_INCREMENT',
  "`a` varchar(9) DEFAULT 'x,(\\'' COMMENT ')'",
  '`b` int',
];
const primary = 'PRIMARY KEY (`id`)';

describe('splitCreateTable', () => {
  it('puts off plain indexes and foreign keys', () => {
    const unique = 'UNIQUE KEY `u` (`b`)';
    const keys = [
      'KEY `k1` (`a`(3) DESC,`b`)',
      "KEY `k,2` (`b`) USING BTREE COMMENT 'KEY `x`' /*!80000 INVISIBLE */",
    ];
    const foreign = 'CONSTRAINT `fk` FOREIGN KEY (`b`) REFERENCES `p` (`id`) ON DELETE SET NULL';
    const check = 'CONSTRAINT `c` CHECK ((`b` > 0))';
    const tail = "ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COMMENT='x'";
    const result = split([...columns, primary, unique, ...keys, foreign, check], tail);
    expect(result.text).toBe(
      `CREATE TABLE \`t\` (\n  ${[...columns, primary, unique, check].join(',\n  ')}\n) ${tail}`,
    );
    expect(result.indexes).toEqual(keys.map((key) => `ADD ${key}`));
    expect(result.foreignKeys).toEqual([`ADD ${foreign}`]);
  });

  it('keeps the key that AUTO_INCREMENT needs and the plain keys before it', () => {
    const keys = ['KEY `a` (`a`)', 'KEY `i` (`id`,`a`)', 'KEY `b` (`b`)', 'KEY `i2` (`id`)'];
    expect(split([...columns, ...keys]).indexes).toEqual([
      'ADD KEY `b` (`b`)',
      'ADD KEY `i2` (`id`)',
    ]);
    expect(split([...columns, 'UNIQUE KEY `u` (`id`)', ...keys]).indexes).toHaveLength(4);
    expect(split([...columns, 'PRIMARY KEY (`b`,`id`)', 'KEY `id` (`id`)']).indexes).toEqual([]);
  });

  it('keeps what may not be added later alike, and the plain keys before it', () => {
    const generated = '`g` int GENERATED ALWAYS AS ((`b` + 1)) VIRTUAL';
    const shortForm = '`h` int AS (`b` + 1)';
    const stored = ['`s` int GENERATED ALWAYS AS (`b`) STORED', '`q` int AS (`b`) PERSISTENT'];
    const keys = [
      'KEY `k1` (`a`)',
      'KEY `kg` (`g`)',
      'KEY `k2` (`b`)',
      'KEY `kf` ((`b` + 1))',
      'KEY `km` ((cast(`a` as unsigned array)))',
      'KEY `kh` (`h`)',
      'KEY `k3` (`s`,`q`)',
      'FULLTEXT KEY `ft` (`a`)',
      'SPATIAL KEY `sp` (`b`)',
    ];
    const result = split([...columns, generated, shortForm, ...stored, primary, ...keys]);
    expect(result.indexes).toEqual(['ADD KEY `k3` (`s`,`q`)']);
    expect(result.text).toContain('`kh` (`h`),\n  FULLTEXT KEY');
    const onMysql = split(
      [...columns, generated, shortForm, ...stored, primary, ...keys],
      undefined,
      {
        flavour: 'mysql',
      },
    );
    expect(onMysql.indexes.map((clause) => clause.split('`')[1])).toEqual(['k1', 'k2', 'k3']);
  });

  it('puts off unique keys on request, if there is a primary key', () => {
    const unique = ['UNIQUE KEY `u1` (`b`)', 'UNIQUE KEY `u2` (`a`)'];
    const add = unique.map((key) => `ADD ${key}`);
    expect(split([...columns, primary, ...unique]).indexes).toEqual([]);
    const moved = { keepUnique: false };
    expect(split([...columns, primary, ...unique], undefined, moved).indexes).toEqual(add);
    expect(
      split([...columns, 'UNIQUE KEY `i` (`id`)', ...unique], undefined, moved).indexes,
    ).toEqual([]);
    const own = split(
      [...columns, 'PRIMARY KEY (`b`)', 'UNIQUE KEY `i` (`id`)', ...unique],
      undefined,
      moved,
    );
    expect(own.indexes).toEqual(add);
  });

  it.each([
    ['another engine', [...columns, primary, 'KEY `k` (`b`)'], 'ENGINE=MyISAM'],
    [
      'system versioning',
      [...columns, primary, 'KEY `k` (`b`)'],
      'ENGINE=InnoDB WITH SYSTEM VERSIONING',
    ],
    [
      'an application period',
      [...columns, primary, 'PERIOD FOR `p` (`a`, `b`)', 'KEY `k` (`b`)'],
      'ENGINE=InnoDB',
    ],
    ['no engine', [...columns, primary, 'KEY `k` (`b`)'], "COMMENT='ENGINE=InnoDB'"],
  ])('leaves a table with %s whole', (_, lines, tail) => {
    const result = split(lines, tail);
    expect(result).toEqual({
      text: `CREATE TABLE \`t\` (\n  ${lines.join(',\n  ')}\n) ${tail}`,
      indexes: [],
      foreignKeys: [],
    });
  });

  it.each([
    ['CREATE TABLE t'],
    ['CREATE TABLE t (a int'],
    ['CREATE TABLE t (,) ENGINE=InnoDB'],
    ['SELECT (1)'],
    [''],
  ])('leaves %j as it is', (text) => {
    expect(splitCreateTable(Buffer.from(text)).withoutSecondary.toString()).toBe(text);
  });

  it('leaves text alone that is no UTF-8', () => {
    const text = Buffer.concat([
      Buffer.from('CREATE TABLE `t` (`a` int, KEY `'),
      Buffer.from([0x83, 0x5c]),
      Buffer.from('` (`a`)) ENGINE=InnoDB'),
    ]);
    expect(splitCreateTable(text, { charset: 'sjis' })).toEqual({
      withoutSecondary: text,
      addIndexes: [],
      addForeignKeys: [],
    });
  });

  it('splits partitioned tables and names with anything in them', () => {
    const tail =
      'ENGINE=InnoDB\n/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (5) ENGINE = InnoDB) */';
    const result = split(['`a``,(` int NOT NULL', '`KEY` int', 'KEY `x),\n` (`a``,(`)'], tail);
    expect(result.indexes).toEqual(['ADD KEY `x),\n` (`a``,(`)']);
    expect(result.text.endsWith(`\`KEY\` int\n) ${tail}`)).toBe(true);
  });
});
