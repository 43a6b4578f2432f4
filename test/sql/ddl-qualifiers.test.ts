/**
 * Goal: the database's name goes from the places where it is a database, and from no other. Method:
 * texts as MySQL 9.7 and MariaDB 10.11 print them, with a table, an alias and columns called like
 * the database; the property that a second pass finds nothing to do.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNativeFunction } from '../../src/sql/ddl-native-functions.js';
import {
  findDatabaseReferences,
  referencedDatabases,
  renameDatabaseQualifiers,
  stripDatabaseQualifiers,
  stripTriggerHeaderDatabase,
} from '../../src/sql/ddl-qualifiers.js';
import type { DdlOptions } from '../../src/sql/ddl-text.js';

const DATABASE = 'LibraryDB';

function strip(text: string, options?: DdlOptions): string {
  return stripDatabaseQualifiers(Buffer.from(text), DATABASE, options).toString();
}

/** The text with every database that was recognised in angle brackets. */
function marked(text: string, options?: DdlOptions): string {
  return renameDatabaseQualifiers(Buffer.from(text), DATABASE, '<>', options).toString();
}

describe('views', () => {
  it.each([
    // MySQL: only the function was qualified by its author.
    [
      'CREATE VIEW `v` AS select `LibraryDB`.`f`(`BOOK`.`id`) AS `a` from `BOOK`',
      'CREATE VIEW `v` AS select `f`(`BOOK`.`id`) AS `a` from `BOOK`',
    ],
    // A table called like the database: two parts are a column of it.
    [
      'CREATE VIEW `v` AS select `LibraryDB`.`id` AS `id` from (`BOOK` `b` join `LibraryDB`) where `LibraryDB`.`id` in (select `BOOK`.`library_id` from `BOOK`)',
      'CREATE VIEW `v` AS select `LibraryDB`.`id` AS `id` from (`BOOK` `b` join `LibraryDB`) where `LibraryDB`.`id` in (select `BOOK`.`library_id` from `BOOK`)',
    ],
    // MariaDB qualifies everything in a view over another database as well.
    [
      'CREATE VIEW `LibraryDB`.`v` AS select `LibraryDB`.`LibraryDB`.`id` AS `id` from (`LibraryDB`.`BOOK` `b` join `LibraryDB`.`LibraryDB`) where `LibraryDB`.`LibraryDB`.`id` in (select `LibraryDB`.`BOOK`.`library_id` from `LibraryDB`.`BOOK`)',
      'CREATE VIEW `v` AS select `LibraryDB`.`id` AS `id` from (`BOOK` `b` join `LibraryDB`) where `LibraryDB`.`id` in (select `BOOK`.`library_id` from `BOOK`)',
    ],
    // An alias called like the database, beside a table of another one.
    [
      'CREATE VIEW `v` AS select `LibraryDB`.`title` AS `title` from (`LibraryDB`.`BOOK` `LibraryDB` join `other`.`o` on(`other`.`o`.`id` = `LibraryDB`.`id`))',
      'CREATE VIEW `v` AS select `LibraryDB`.`title` AS `title` from (`BOOK` `LibraryDB` join `other`.`o` on(`other`.`o`.`id` = `LibraryDB`.`id`))',
    ],
    [
      'CREATE VIEW `v` AS select trim(leading `LibraryDB`.`a` from `LibraryDB`.`b`),extract(year from `LibraryDB`.`c`),substr(`LibraryDB`.`d` from 2) from `LibraryDB`.`LibraryDB`',
      'CREATE VIEW `v` AS select trim(leading `LibraryDB`.`a` from `LibraryDB`.`b`),extract(year from `LibraryDB`.`c`),substr(`LibraryDB`.`d` from 2) from `LibraryDB`',
    ],
    [
      'CREATE VIEW `v` AS select 1 from ((`LibraryDB`.`a` left join (`LibraryDB`.`b` join `LibraryDB`.`c`) on((`LibraryDB`.`x` = 1))) straight_join `LibraryDB`.`d`),`LibraryDB`.`e` use index (`LibraryDB`),(select `LibraryDB`.`x` from `LibraryDB`.`f`) `LibraryDB`',
      'CREATE VIEW `v` AS select 1 from ((`a` left join (`b` join `c`) on((`LibraryDB`.`x` = 1))) straight_join `d`),`e` use index (`LibraryDB`),(select `LibraryDB`.`x` from `f`) `LibraryDB`',
    ],
    [
      'CREATE VIEW `v` AS with `LibraryDB` as (select 1 AS `x` from `LibraryDB`.`a`) select `LibraryDB`.`x` from `LibraryDB` union select `LibraryDB`.`x` from `LibraryDB`.`b` order by `LibraryDB`.`x` limit 1',
      'CREATE VIEW `v` AS with `LibraryDB` as (select 1 AS `x` from `a`) select `LibraryDB`.`x` from `LibraryDB` union select `LibraryDB`.`x` from `b` order by `LibraryDB`.`x` limit 1',
    ],
    [
      "CREATE VIEW `v` AS select `j`.`a` from `LibraryDB`.`t`,json_table(`LibraryDB`.`doc`,_utf8mb4'$' columns (`a` int path '$.a')) `j`,`LibraryDB`.`u`",
      "CREATE VIEW `v` AS select `j`.`a` from `t`,json_table(`LibraryDB`.`doc`,_utf8mb4'$' columns (`a` int path '$.a')) `j`,`u`",
    ],
    [
      'CREATE VIEW `vs` AS select nextval(`LibraryDB`.`s`) AS `a`,lastval(`LibraryDB`.`s`) AS `b`,setval(`LibraryDB`.`s`,`LibraryDB`.`c`)',
      'CREATE VIEW `vs` AS select nextval(`s`) AS `a`,lastval(`s`) AS `b`,setval(`s`,`LibraryDB`.`c`)',
    ],
  ])('%s', (text, expected) => {
    expect(strip(text)).toBe(expected);
    expect(strip(expected)).toBe(expected);
  });

  it('keep the database of a function called like one of the server', () => {
    const text = 'CREATE VIEW `v` AS select `LibraryDB`.`abs`(1),`LibraryDB`.`count`(2),abs(-5)';
    const expected = 'CREATE VIEW `v` AS select `LibraryDB`.`abs`(1),`count`(2),abs(-5)';
    expect(strip(text)).toBe(expected);
    expect(findDatabaseReferences(Buffer.from(expected), DATABASE)).toBe(1);
    expect(marked(text)).toContain('`<>`.`abs`(1),`<>`.`count`(2)');
    expect(isNativeFunction('Concat_WS')).toBe(true);
    expect(isNativeFunction('left')).toBe(false);
  });
});

describe('tables', () => {
  it.each([
    [
      'CREATE TABLE `ds` (\n  `id` int(11) DEFAULT nextval(`LibraryDB`.`s`)\n) ENGINE=InnoDB',
      'CREATE TABLE `ds` (\n  `id` int(11) DEFAULT nextval(`s`)\n) ENGINE=InnoDB',
    ],
    [
      'CREATE TABLE LibraryDB.t (a int, FOREIGN KEY (a) REFERENCES LibraryDB.u (a)) ENGINE=MRG_MyISAM UNION=(`LibraryDB`.`a`,`LibraryDB`.`b`)',
      'CREATE TABLE `t` (a int, FOREIGN KEY (a) REFERENCES `u` (a)) ENGINE=MRG_MyISAM UNION=(`a`,`b`)',
    ],
    ['CREATE TABLE t LIKE LibraryDB.u', 'CREATE TABLE t LIKE `u`'],
    ['CREATE TABLE LibraryDB.t (LIKE LibraryDB.u)', 'CREATE TABLE `t` (LIKE `u`)'],
    [
      'CREATE TABLE t (a int CHECK (a LIKE LibraryDB.b))',
      'CREATE TABLE t (a int CHECK (a LIKE LibraryDB.b))',
    ],
    [
      'CREATE UNIQUE INDEX LibraryDB ON LibraryDB.t (a)',
      'CREATE UNIQUE INDEX LibraryDB ON `t` (a)',
    ],
    ['ALTER TABLE LibraryDB.t RENAME TO LibraryDB.u', 'ALTER TABLE `t` RENAME TO `u`'],
    ['DROP TABLE IF EXISTS LibraryDB.a, LibraryDB.b', 'DROP TABLE IF EXISTS `a`, `b`'],
    [
      'RENAME TABLE LibraryDB.a TO LibraryDB.b, c TO LibraryDB.d',
      'RENAME TABLE `a` TO `b`, c TO `d`',
    ],
  ])('%s', (text, expected) => {
    expect(strip(text)).toBe(expected);
  });
});

describe('bodies', () => {
  const body = [
    'CREATE DEFINER=`table`@`LibraryDB` PROCEDURE LibraryDB.p(IN LibraryDB int)',
    'BEGIN',
    '  DECLARE c CURSOR FOR SELECT LibraryDB.id FROM LibraryDB.a, LibraryDB.b AS LibraryDB;',
    '  -- LibraryDB.comment /* LibraryDB.x */',
    "  SET @LibraryDB.v = 'LibraryDB.s', LibraryDB.w = @`LibraryDB`, @@LibraryDB.x = 1;",
    '  INSERT IGNORE INTO LibraryDB.a (LibraryDB.x) VALUES (LibraryDB.f(1)) ON DUPLICATE KEY UPDATE LibraryDB.x = 1;',
    '  INSERT LibraryDB.a SET x = REPLACE(LibraryDB.x, 1, 2), y = INSERT(LibraryDB.x, 1, 1, 2);',
    '  REPLACE LOW_PRIORITY LibraryDB.a SELECT LibraryDB.x FROM LibraryDB.b FOR UPDATE;',
    '  UPDATE LibraryDB.a, LibraryDB.b SET LibraryDB.x = 1, LibraryDB.y = 2 WHERE LibraryDB.z IN (1);',
    '  DELETE LibraryDB, LibraryDB.* FROM LibraryDB.a AS LibraryDB WHERE LibraryDB.a.x = 1;',
    '  SELECT LibraryDB.x INTO LibraryDB FROM LibraryDB.`select`;',
    '  IF EXISTS (SELECT 1 FROM LibraryDB.t WHERE x = TRIM(BOTH LibraryDB.a FROM LibraryDB.b)) THEN CALL LibraryDB.p(LibraryDB.x);',
    '  ELSE TRUNCATE LibraryDB.t; SET x = TRUNCATE(LibraryDB.x, 1); END IF;',
    '  SET y = NEXT VALUE FOR LibraryDB.s, z = (SELECT LibraryDB.t.x FROM LibraryDB.t);',
    'END',
  ].join('\n');

  it('are searched with regard to what each name is', () => {
    const expected = [
      'CREATE DEFINER=`table`@`LibraryDB` PROCEDURE `<>`.p(IN LibraryDB int)',
      'BEGIN',
      '  DECLARE c CURSOR FOR SELECT LibraryDB.id FROM `<>`.a, `<>`.b AS LibraryDB;',
      '  -- LibraryDB.comment /* LibraryDB.x */',
      "  SET @LibraryDB.v = 'LibraryDB.s', LibraryDB.w = @`LibraryDB`, @@LibraryDB.x = 1;",
      '  INSERT IGNORE INTO `<>`.a (LibraryDB.x) VALUES (`<>`.f(1)) ON DUPLICATE KEY UPDATE LibraryDB.x = 1;',
      '  INSERT `<>`.a SET x = REPLACE(LibraryDB.x, 1, 2), y = INSERT(LibraryDB.x, 1, 1, 2);',
      '  REPLACE LOW_PRIORITY `<>`.a SELECT LibraryDB.x FROM `<>`.b FOR UPDATE;',
      '  UPDATE `<>`.a, `<>`.b SET LibraryDB.x = 1, LibraryDB.y = 2 WHERE LibraryDB.z IN (1);',
      '  DELETE LibraryDB, LibraryDB.* FROM `<>`.a AS LibraryDB WHERE `<>`.a.x = 1;',
      '  SELECT LibraryDB.x INTO LibraryDB FROM `<>`.`select`;',
      '  IF EXISTS (SELECT 1 FROM `<>`.t WHERE x = TRIM(BOTH LibraryDB.a FROM LibraryDB.b)) THEN CALL `<>`.p(LibraryDB.x);',
      '  ELSE TRUNCATE `<>`.t; SET x = TRUNCATE(LibraryDB.x, 1); END IF;',
      '  SET y = NEXT VALUE FOR `<>`.s, z = (SELECT `<>`.t.x FROM `<>`.t);',
      'END',
    ].join('\n');
    expect(marked(body)).toBe(expected);
    const count = expected.split('`<>`').length - 1;
    expect(findDatabaseReferences(Buffer.from(body), DATABASE)).toBe(count);
  });

  it('may begin after WHILE … DO, LOOP, THEN and ELSE', () => {
    expect(
      marked(
        'CREATE PROCEDURE p() l: LOOP DELETE FROM LibraryDB.a; WHILE LibraryDB.x DO DELETE FROM LibraryDB.b; END WHILE; END LOOP',
      ),
    ).toBe(
      'CREATE PROCEDURE p() l: LOOP DELETE FROM `<>`.a; WHILE LibraryDB.x DO DELETE FROM `<>`.b; END WHILE; END LOOP',
    );
  });

  it('of events and in MariaDB declare by type', () => {
    expect(
      marked(
        'CREATE EVENT LibraryDB.e ON SCHEDULE EVERY 1 DAY DO INSERT INTO LibraryDB.t SELECT 1',
      ),
    ).toBe('CREATE EVENT `<>`.e ON SCHEDULE EVERY 1 DAY DO INSERT INTO `<>`.t SELECT 1');
    expect(
      marked(
        'CREATE PROCEDURE p() BEGIN DECLARE a TYPE OF LibraryDB.t.c; DECLARE b TYPE OF LibraryDB.c; DECLARE r ROW TYPE OF LibraryDB.t; DECLARE s LibraryDB.t%ROWTYPE; END',
      ),
    ).toBe(
      'CREATE PROCEDURE p() BEGIN DECLARE a TYPE OF `<>`.t.c; DECLARE b TYPE OF LibraryDB.c; DECLARE r ROW TYPE OF `<>`.t; DECLARE s `<>`.t%ROWTYPE; END',
    );
  });
});

describe('names', () => {
  it('compare as the server does', () => {
    const text = Buffer.from('select * from librarydb.a, LIBRARYDB.b, LibraryDB.c');
    expect(findDatabaseReferences(text, DATABASE)).toBe(1);
    expect(findDatabaseReferences(text, DATABASE, { lowerCaseTableNames: 1 })).toBe(3);
  });

  it('may hold quotes, dots and letters beyond ASCII', () => {
    const text = Buffer.from('select * from `a``b.c`.t, `Bücher`.`t`, Bücher . u');
    expect(stripDatabaseQualifiers(text, 'a`b.c').toString()).toBe(
      'select * from `t`, `Bücher`.`t`, Bücher . u',
    );
    expect(stripDatabaseQualifiers(text, 'Bücher').toString()).toBe(
      'select * from `a``b.c`.t, `t`, `u`',
    );
    expect(renameDatabaseQualifiers(text, 'Bücher', 'a`b').toString()).toContain(
      '`a``b`.`t`, `a``b` . u',
    );
  });

  it('are read in the text’s own character set', () => {
    const text = Buffer.concat([
      Buffer.from('select * from `'),
      Buffer.from([0x83, 0x5c, 0x83, 0x60]), // ソチ: the second byte of チ is a backtick
      Buffer.from('`.t'),
    ]);
    const options = { charset: 'sjis' };
    expect(stripDatabaseQualifiers(text, 'ソチ', options).toString('latin1')).toBe(
      'select * from `t`',
    );
    expect(renameDatabaseQualifiers(text, 'ソチ', 'copy', options).toString()).toBe(
      'select * from `copy`.t',
    );
    expect(() => renameDatabaseQualifiers(text, 'ソチ', 'ソ', options)).toThrow(/in sjis/);
  });

  it('in double quotes are names under ANSI_QUOTES only', () => {
    const text = 'select "LibraryDB"."f"(1) from "LibraryDB"."t"';
    expect(strip(text)).toBe(text);
    expect(strip(text, { sqlMode: 'ANSI_QUOTES' })).toBe('select "f"(1) from "t"');
  });

  it('keep reserved words usable once the dot is gone', () => {
    expect(strip('select * from LibraryDB.order join LibraryDB . 1st')).toBe(
      'select * from `order` join `1st`',
    );
  });

  it('of all databases are listed once', () => {
    const text = Buffer.from('select b.f(1), t.c, d.t.c from a.t, c.t, A.u, a.v');
    expect(referencedDatabases(text)).toEqual(['b', 'd', 'a', 'c', 'A']);
    expect(referencedDatabases(text, { lowerCaseTableNames: 1 })).toEqual(['b', 'd', 'a', 'c']);
  });
});

describe('triggers', () => {
  it('lose the database in their header only', () => {
    const text = Buffer.from(
      'CREATE DEFINER=`root`@`localhost` TRIGGER  `LibraryDB` . trg /* c2 */ BEFORE INSERT ON LibraryDB . BOOK FOR EACH ROW FOLLOWS other SET NEW.title = LibraryDB.f(1)',
    );
    expect(stripTriggerHeaderDatabase(text, DATABASE).toString()).toBe(
      'CREATE DEFINER=`root`@`localhost` TRIGGER  `trg` /* c2 */ BEFORE INSERT ON `BOOK` FOR EACH ROW FOLLOWS other SET NEW.title = LibraryDB.f(1)',
    );
    expect(findDatabaseReferences(text, DATABASE)).toBe(3);
  });

  it('are left alone where another database is named', () => {
    const text = 'CREATE TRIGGER t AFTER UPDATE ON other.b FOR EACH ROW DELETE FROM LibraryDB.c';
    expect(stripTriggerHeaderDatabase(Buffer.from(text), DATABASE).toString()).toBe(text);
  });

  it.each(['BEFORE DELETE ON', 'AFTER UPDATE ON', 'AFTER INSERT OR UPDATE ON'])('%s', (event) => {
    const text = Buffer.from(
      `CREATE TRIGGER LibraryDB.t ${event} LibraryDB.b FOR EACH ROW SET @a=1`,
    );
    expect(stripTriggerHeaderDatabase(text, DATABASE).toString()).toBe(
      `CREATE TRIGGER \`t\` ${event} \`b\` FOR EACH ROW SET @a=1`,
    );
  });
});

describe('any statement', () => {
  const word = fc.constantFrom(
    ...[
      'SELECT',
      'FROM',
      'JOIN',
      ',',
      '(',
      ')',
      'ON',
      'WHERE',
      'INSERT INTO',
      'UPDATE',
      'SET',
      ';',
    ],
    ...['`LibraryDB`.`t`', 'LibraryDB.f(', 'LibraryDB.t.c', '`LibraryDB`', 'x.y', "'LibraryDB.x'"],
    ...['-- LibraryDB.x\n', '/*!50003', '*/', '=', 'AS', 'LibraryDB.*', 'UNION', 'BEGIN', 'DO'],
  );

  it('has nothing left to strip after the first pass, and renames back and forth', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = Buffer.from(words.join(' '));
        const once = stripDatabaseQualifiers(text, DATABASE);
        const renamed = renameDatabaseQualifiers(text, DATABASE, 'other');
        expect(findDatabaseReferences(renamed, DATABASE)).toBe(0);
        const back = renameDatabaseQualifiers(renamed, 'other', DATABASE);
        expect(renameDatabaseQualifiers(text, DATABASE, DATABASE)).toEqual(back);
        expect(stripDatabaseQualifiers(back, DATABASE)).toEqual(once);
      }),
      { numRuns: 1000 },
    );
  });
});
