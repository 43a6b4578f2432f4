/** Random changes of rows, as a writer of a lending library and its neighbours would make them. */
import type { Dice } from './dice.js';
import type { Writer } from './writer.js';

/** Ids are taken from few, so that writers meet on the same rows and tables stay small. */
const IDS = 60;

/** Tables that all writers change; names begin with `r_`, so that a comparison can tell them. */
export function randomTables(isMySql: boolean): string[] {
  return [
    `CREATE TABLE r_item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), f FLOAT, d DOUBLE,
      price DECIMAL(30,10), doc JSON, body LONGBLOB, at DATETIME(6), ts TIMESTAMP(3) NULL, e ENUM('a','b',''),
      s SET('x','y','z'), bits BIT(9), y YEAR, hour TIME(2), day DATE, tiny TINYINT UNSIGNED, big BIGINT UNSIGNED,
      twice INT AS (tiny * 2) VIRTUAL, upper_name VARCHAR(100) AS (UPPER(name)) STORED,
      KEY (name), UNIQUE KEY (big))`,
    'CREATE TABLE r_parent (id INT PRIMARY KEY, name VARCHAR(40)) CHARACTER SET latin1',
    `CREATE TABLE r_child (id INT PRIMARY KEY, parent INT, note VARCHAR(40), KEY (parent),
      CONSTRAINT r_child_parent FOREIGN KEY (parent) REFERENCES r_parent (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
    `CREATE TABLE r_grandchild (id INT PRIMARY KEY, child INT, KEY (child),
      CONSTRAINT r_grandchild_child FOREIGN KEY (child) REFERENCES r_child (id) ON DELETE SET NULL ON UPDATE CASCADE)`,
    'CREATE TABLE r_log (n INT, what VARCHAR(200), KEY (n))',
    'CREATE TABLE r_keyless (a INT, b VARCHAR(20), c FLOAT)',
    `CREATE TABLE r_text (id INT PRIMARY KEY, l VARCHAR(50) CHARACTER SET latin1, j VARCHAR(50) CHARACTER SET sjis,
      g VARCHAR(50) CHARACTER SET gbk, u VARCHAR(50) CHARACTER SET utf8mb4, w VARCHAR(50) CHARACTER SET utf16, b VARBINARY(50))`,
    `CREATE TABLE r_parted (id INT, y INT, v VARCHAR(20), PRIMARY KEY (id, y)) PARTITION BY RANGE (y)
      (PARTITION p0 VALUES LESS THAN (20), PARTITION p1 VALUES LESS THAN (40), PARTITION pm VALUES LESS THAN MAXVALUE)`,
    'CREATE TABLE r_plain (id INT PRIMARY KEY, v VARCHAR(30)) ENGINE = MyISAM',
    'CREATE TABLE r_strings (k VARCHAR(20) COLLATE utf8mb4_bin, n INT, v TEXT, PRIMARY KEY (k, n))',
    'CREATE TABLE r_xa (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(50))',
    'CREATE TRIGGER r_item_added AFTER INSERT ON r_item FOR EACH ROW INSERT INTO r_log VALUES (NEW.id, CONCAT("added; ", COALESCE(NEW.name, "")))',
    'CREATE TRIGGER r_item_changed BEFORE UPDATE ON r_item FOR EACH ROW SET NEW.at = NOW(6)',
    'CREATE TRIGGER r_item_gone AFTER DELETE ON r_item FOR EACH ROW DELETE FROM r_log WHERE n = OLD.id LIMIT 2',
    'CREATE PROCEDURE r_fill (base INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < 3 DO REPLACE INTO r_strings VALUES (CONCAT("p", base), i, REPEAT("x", i)); SET i = i + 1; END WHILE; END',
    'CREATE FUNCTION r_note (what VARCHAR(100)) RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO r_log VALUES (0, what); RETURN 1; END',
    ...(isMySql
      ? []
      : [
          'CREATE SEQUENCE r_numbers',
          'CREATE TABLE r_aria (a INT PRIMARY KEY, b INT) ENGINE = Aria',
        ]),
  ];
}

type Change = (dice: Dice, writer: Writer) => string;

const id = (dice: Dice): number => dice.between(1, IDS);

/** Text that a client in any of the character sets may send. */
function word(dice: Dice): string {
  const signs = ["''", '\\\\', '"', ';', '-- ', '#', '/*', '%', '`', ' ', 'ab', 'Zz', '0'] as const;
  return dice.some(0, 6, () => dice.pick(signs)).join('');
}

function hex(dice: Dice, bytes: number): string {
  return dice.some(bytes, bytes, () => dice.below(256).toString(16).padStart(2, '0')).join('');
}

function float(dice: Dice): string {
  return dice.pick([
    '16777215',
    '-0.0',
    '1e-38',
    '3.4e38',
    '0.1',
    `${dice.below(1e9) / 7}`,
    'NULL',
  ]);
}

function itemValues(dice: Dice): string {
  const doc = `JSON_OBJECT('k', ${dice.below(1000)}, 'list', JSON_ARRAY(1, ${dice.below(9)}), 'text', REPEAT('t', ${dice.below(300)}))`;
  return [
    `'${word(dice)}'`,
    float(dice),
    float(dice),
    dice.pick(['1.10', '-99999999999999999999.0123456789', 'NULL']),
    dice.pick([doc, doc, 'NULL']),
    dice.pick(['NULL', `x'${hex(dice, 40)}'`, `REPEAT(x'000d0a1a275c', ${dice.between(1, 3000)})`]),
    dice.pick(['NOW(6)', "'2024-02-29 12:00:00.123456'"]),
    dice.pick(['NULL', 'NOW(3)', "'2031-01-01 00:00:01'"]),
    dice.pick(["'a'", "''", 'NULL', '2']),
    dice.pick(["'x,z'", "''", 'NULL']),
    dice.pick(["b'101010101'", 'NULL']),
    dice.pick(['2024', 'NULL', '0']),
    dice.pick(["'-838:59:59'", "'11:22:33.44'"]),
    dice.pick(["'2024-02-29'", 'NULL']),
    String(dice.below(120)),
    dice.pick(['NULL', String(dice.below(IDS)), '18446744073709551615']),
  ].join(', ');
}

const ITEM_COLUMNS =
  'id, name, f, d, price, doc, body, at, ts, e, s, bits, y, hour, day, tiny, big';

/** Each is one statement; what collides fails, as it does in life. */
const CHANGES: Readonly<Record<string, Change>> = {
  insert: (dice, { name }) =>
    `INSERT INTO ${name('r_item')} (${ITEM_COLUMNS}) VALUES ${dice.some(1, 3, () => `(${id(dice)}, ${itemValues(dice)})`).join(', ')}`,
  insertNumbered: (dice, { name }) =>
    `INSERT INTO ${name('r_item')} (name, tiny) VALUES ('${word(dice)}', 1), ('two', 2)`,
  insertSelect: (dice, { name }) =>
    `INSERT IGNORE INTO ${name('r_strings')} SELECT COALESCE(e, 'none'), id, name FROM ${name('r_item')} WHERE id % 7 = ${dice.below(7)}`,
  upsert: (dice, { name }) =>
    `INSERT INTO ${name('r_item')} (id, name, f) VALUES (${id(dice)}, '${word(dice)}', ${float(dice)}) ON DUPLICATE KEY UPDATE name = 'again', f = f * 1.5`,
  replace: (dice, { name }) =>
    `REPLACE INTO ${name('r_item')} (${ITEM_COLUMNS}) VALUES (${id(dice)}, ${itemValues(dice)})`,
  update: (dice, { name }) =>
    `UPDATE ${name('r_item')} SET f = ${float(dice)}, name = '${word(dice)}' WHERE id = ${id(dice)}`,
  updateMany: (dice, { name }) =>
    `UPDATE ${name('r_item')} SET d = d / 3, price = price + 1 WHERE id % 5 = ${dice.below(5)}`,
  updateJson: (dice, { name }) =>
    `UPDATE ${name('r_item')} SET doc = JSON_SET(doc, '$.k', ${dice.below(9)}) WHERE id % 4 = ${dice.below(4)} AND doc IS NOT NULL`,
  updateKey: (dice, { name }) =>
    `UPDATE ${name('r_item')} SET id = ${id(dice)} WHERE id = ${id(dice)}`,
  delete: (dice, { name }) => `DELETE FROM ${name('r_item')} WHERE id = ${id(dice)}`,
  deleteMany: (dice, { name }) =>
    `DELETE FROM ${name('r_item')} WHERE id % 9 = ${dice.below(9)} ORDER BY id LIMIT 5`,
  trimLog: (dice, { name }) => `DELETE FROM ${name('r_log')} WHERE n % 3 = ${dice.below(3)}`,
  huge: (dice, { name }) =>
    `UPDATE ${name('r_item')} SET body = REPEAT(x'${hex(dice, 16)}', ${dice.between(1000, 20_000)}) WHERE id = ${id(dice)}`,
  parent: (dice, { name }) =>
    `INSERT INTO ${name('r_parent')} VALUES (${id(dice)}, '${word(dice)}')`,
  child: (dice, { name }) =>
    `INSERT INTO ${name('r_child')} SELECT ${id(dice)}, id, 'kid' FROM ${name('r_parent')} ORDER BY id LIMIT 1`,
  grandchild: (dice, { name }) =>
    `INSERT INTO ${name('r_grandchild')} SELECT ${id(dice)}, id FROM ${name('r_child')} ORDER BY id DESC LIMIT 1`,
  cascadeUpdate: (dice, { name }) =>
    `UPDATE ${name('r_parent')} SET id = ${id(dice)} WHERE id = ${id(dice)}`,
  cascadeDelete: (dice, { name }) =>
    `DELETE FROM ${name('r_parent')} WHERE id % 6 = ${dice.below(6)} LIMIT 2`,
  childDelete: (dice, { name }) => `DELETE FROM ${name('r_child')} WHERE id = ${id(dice)}`,
  keylessInsert: (dice, { name }) =>
    `INSERT INTO ${name('r_keyless')} VALUES (${dice.below(5)}, 'same', ${float(dice)}), (${dice.below(5)}, NULL, 1)`,
  keylessUpdate: (dice, { name }) =>
    `UPDATE ${name('r_keyless')} SET b = CONCAT('u', ${dice.below(9)}) WHERE a = ${dice.below(5)} LIMIT 3`,
  keylessDelete: (dice, { name }) =>
    `DELETE FROM ${name('r_keyless')} WHERE a = ${dice.below(5)} LIMIT 4`,
  text: (dice, { name }) => {
    const [japanese, chinese, wide] = [
      dice.pick(['835c', '955c', '8341', '5c']),
      dice.pick(['d65c', 'b0a1', '5c']),
      dice.pick(['d83dde00', '0041', '00e9']),
    ];
    return (
      `REPLACE INTO ${name('r_text')} VALUES (${id(dice)}, _latin1 x'e9fc', _sjis x'${japanese}', _gbk x'${chinese}', ` +
      `_utf8mb4 x'f09f9880', _utf16 x'${wide}', x'${hex(dice, 9)}')`
    );
  },
  parted: (dice, { name }) =>
    `INSERT IGNORE INTO ${name('r_parted')} VALUES ${dice.some(1, 4, () => `(${id(dice)}, ${id(dice)}, 'v')`).join(', ')}`,
  partedMove: (dice, { name }) =>
    `UPDATE IGNORE ${name('r_parted')} SET y = y + 20 WHERE id % 5 = ${dice.below(5)}`,
  partedDelete: (dice, { name }) =>
    `DELETE FROM ${name('r_parted')} WHERE y > ${dice.between(20, 60)}`,
  joined: (dice, { name, elsewhere }) =>
    `UPDATE ${name('r_parent')} p JOIN ${elsewhere('r_side')} s ON s.a = p.id SET p.name = 'joined', s.b = ${dice.below(99)}`,
  joinedDelete: (dice, { name }) =>
    `DELETE i, s FROM ${name('r_item')} i JOIN ${name('r_strings')} s ON s.n = i.id WHERE i.id = ${id(dice)}`,
  side: (dice, { elsewhere }) => `REPLACE INTO ${elsewhere('r_side')} VALUES (${id(dice)}, 'side')`,
  function: (dice, { name }) => `SELECT ${name('r_note')}('called ${dice.below(9)}')`,
  procedure: (dice, { name }) => `CALL ${name('r_fill')}(${dice.below(5)})`,
  emptied: (dice, { name }) => `DELETE FROM ${name('r_strings')} WHERE n % 3 = ${dice.below(3)}`,
};

/** Their tables know no transactions, which servers with GTIDs keep apart from those that do. */
const ALONE: Readonly<Record<string, Change>> = {
  plain: (dice, { name }) =>
    `REPLACE INTO ${name('r_plain')} VALUES (${id(dice)}, '${word(dice)}'), (${id(dice)}, 'b')`,
  plainUpdate: (dice, { name }) =>
    `UPDATE ${name('r_plain')} SET v = 'u' WHERE id % 4 = ${dice.below(4)}`,
  plainDelete: (dice, { name }) => `DELETE FROM ${name('r_plain')} WHERE id % 4 = ${dice.below(4)}`,
};

const ALONE_ON_MARIADB: Readonly<Record<string, Change>> = {
  aria: (dice, { name }) => `REPLACE INTO ${name('r_aria')} VALUES (${id(dice)}, ${id(dice)})`,
  sequence: (_dice, { name }) => `SELECT NEXT VALUE FOR ${name('r_numbers')}`,
};

export interface NamedStatement {
  readonly kind: string;
  readonly sql: string;
}

export function randomChange(dice: Dice, writer: Writer): NamedStatement {
  return from(CHANGES, dice, writer);
}

export function loneChange(dice: Dice, writer: Writer): NamedStatement {
  return from(writer.isMySql ? ALONE : { ...ALONE, ...ALONE_ON_MARIADB }, dice, writer);
}

function from(
  changes: Readonly<Record<string, Change>>,
  dice: Dice,
  writer: Writer,
): NamedStatement {
  const kinds = Object.keys(changes);
  const kind = kinds[dice.below(kinds.length)] ?? '';
  const change = changes[kind];
  if (change === undefined) throw new Error('there is a change of every kind');
  return { kind, sql: change(dice, writer) };
}
