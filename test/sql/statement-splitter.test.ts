/**
 * Goal: the splitter finds the statements that the mysql client would send, whatever the cuts
 * between chunks. Method: vectors of unkind text, each run whole, cut at every byte and byte by
 * byte. Its siblings test what the session changes, and any text at all.
 */
import { describe, expect, it } from 'vitest';
import { ReshelveError } from '../../src/errors.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';
import { split, splitEveryWay, texts } from './split-support.js';

describe('statements', () => {
  it('end at a semicolon, without space and comments in front', () => {
    expect(texts(' a ;\n-- c;c\n b;# d;\n/* e; */c\n;')).toEqual(['a', 'b', 'c']);
    expect(texts('')).toEqual([]);
    expect(texts(';;\n ; ;')).toEqual([]);
    expect(texts('-- only a comment')).toEqual([]);
    expect(texts('\xef\xbb\xbfselect 1;')).toEqual(['select 1']);
  });

  it('keep semicolons in strings, identifiers and comments', () => {
    expect(texts(`select ';', ";", \`;\`, 'it''s;', 'a\\';', "b\\";" ;x;`)).toEqual([
      `select ';', ";", \`;\`, 'it''s;', 'a\\';', "b\\";"`,
      'x',
    ]);
    expect(texts('select `\\`;x;')).toEqual(['select `\\`', 'x']);
    expect(texts('a -- ;\'\n b; c # ;"\n d; e /* ;` */ f;')).toEqual([
      "a -- ;'\n b",
      'c # ;"\n d',
      'e /* ;` */ f',
    ]);
  });

  it('know that two dashes need white space to begin a comment', () => {
    expect(texts("select 1--';'\n;x;")).toEqual(["select 1--';'", 'x']);
    expect(texts("select 1 --\t';\n+1;x;")).toEqual(["select 1 --\t';\n+1", 'x']);
    expect(texts('a ---;\nb;')).toEqual(['a ---', 'b']);
  });

  it('take version comments as text and plain comments inside them as comments', () => {
    expect(texts("/*!40101 SET a='*/;' */;/*M!100100 b ';' */;")).toEqual([
      "/*!40101 SET a='*/;' */",
      "/*M!100100 b ';' */",
    ]);
    expect(texts("/*!50001 a /* ' ; */ b */;c;")).toEqual(["/*!50001 a /* ' ; */ b */", 'c']);
    expect(texts("select /*+ don't; */ 1;c;")).toEqual(["select /*+ don't; */ 1", 'c']);
    expect(texts('select 2*/**/3;c/d;')).toEqual(['select 2*/**/3', 'c/d']);
    expect(texts('/*!1 2*/*3;/*!4*/;')).toEqual(['/*!1 2*/*3', '/*!4*/']);
  });

  it('take dollar quotes after AS as MySQL 9 does', () => {
    const library = "CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ // don't; \n let a = `x`; $$";
    const tagged = "CREATE LIBRARY l LANGUAGE JAVASCRIPT AS\n$JS_1$ let y = $$; // don't\n$JS_1$";
    expect(texts(`${library};${tagged};x;`)).toEqual([library, tagged, 'x']);
    expect(texts("select 1 as $x, 2 as a$$, 3 AS $y';';x;")).toEqual([
      "select 1 as $x, 2 as a$$, 3 AS $y';'",
      'x',
    ]);
    expect(texts('select a$$b; select has $$; x;')).toEqual(['select a$$b', 'select has $$', 'x']);
    expect(texts('DELIMITER $$\nCREATE VIEW v AS $$\nx$$')).toEqual(['CREATE VIEW v AS', 'x']);
    expect(splitEveryWay('CREATE LIBRARY l AS $a$ ; $a').unterminated).toBe('string');
    expect(splitEveryWay('CREATE LIBRARY l AS $a').unterminated).toBe('statement');
  });

  it('drop the sandbox line of mariadb-dump', () => {
    for (const line of [
      '/*M!999999\\- enable the sandbox mode */ \n',
      '/*!999999\\- enable the sandbox mode */\n',
    ]) {
      const splitter = new StatementSplitter();
      const statements = splitter.push(Buffer.from(`${line}-- MariaDB dump\nselect 1;\n`));
      const end = splitter.finish();
      expect([...statements, ...end.last].map(({ text }) => text.toString())).toEqual(['select 1']);
      expect(end.sandboxed).toBe(true);
      expect(texts(`${line}select 1;`)).toEqual(['select 1']);
    }
  });

  it('keep every byte of the text, NUL and CRLF included', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
    const literal = `'${all.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
    expect(texts(`a ${literal};\r\nb\r\nc;\r\n`)).toEqual([`a ${literal}`, 'b\r\nc']);
  });
});

describe('DELIMITER', () => {
  it('changes what ends a statement', () => {
    expect(texts('DELIMITER ;;\na; b;;\nc;\n ;;\ndelimiter ;\nd;e;')).toEqual([
      'a; b',
      'c;',
      'd',
      'e',
    ]);
    expect(texts('Delimiter //\r\na;b//\r\nDELIMITER ;\r\nc;')).toEqual(['a;b', 'c']);
    expect(texts('DELIMITER $$\nbegin; end $$\nDELIMITER ;\nc;')).toEqual(['begin; end', 'c']);
    expect(texts('DELIMITER /*!*/;\na;\nb/*!*/;\n# c\nd\n/*!*/;DELIMITER ;\ne;')).toEqual([
      'a;\nb',
      'd',
      'e',
    ]);
    expect(texts('a; DELIMITER "|"\nb;|delimiter ;\n')).toEqual(['a', 'b;']);
    expect(texts("DELIMITER //\na '//' -- //\n/* // */ `//`//")).toEqual([
      "a '//' -- //\n/* // */ `//`",
    ]);
  });

  it('is no command inside a statement, string or comment', () => {
    expect(texts('select\ndelimiter //\n;b;')).toEqual(['select\ndelimiter //', 'b']);
    expect(texts("select '\ndelimiter //\n';b;")).toEqual(["select '\ndelimiter //\n'", 'b']);
    expect(texts('/*\ndelimiter //\n*/ a;b;')).toEqual(['a', 'b']);
    expect(texts('delimiters;b;')).toEqual(['delimiters', 'b']);
  });

  it('wins over comments and quotes that it begins like', () => {
    expect(texts("DELIMITER '\nselect 1'\nselect 2'")).toEqual(['select 1', 'select 2']);
    expect(texts('DELIMITER #\na;b#c#')).toEqual(['a;b', 'c']);
    expect(texts('DELIMITER --\na;b--c--')).toEqual(['a;b', 'c']);
  });

  it('refuses an argument that the client refuses', () => {
    for (const line of ['DELIMITER\nx', 'DELIMITER   \nx', 'DELIMITER \\\nx']) {
      expect(() => split(`a;\n${line}`)).toThrow(ReshelveError);
      expect(() => split(`a;\n${line}`)).toThrow(/line 2: expected a delimiter/);
    }
  });

  it('of a semicolon and a line break reads mydumper files', () => {
    const body = 'CREATE PROCEDURE p() BEGIN SELECT 1; \n SELECT 2; \nEND';
    expect(texts(`/*!40101 SET NAMES binary*/;\n${body};\nx;\n`, { delimiter: ';\n' })).toEqual([
      '/*!40101 SET NAMES binary*/',
      body,
      'x',
    ]);
  });
});

describe('positions', () => {
  it('are the byte offset and the line of the first byte', () => {
    const input = '-- c\n\n/* d\n */ a\nb;  c\n;\nDELIMITER ;;\ne;;';
    const { statements } = splitEveryWay(input);
    expect(statements.map(({ line }) => line)).toEqual([4, 5, 8]);
    for (const { startOffset, endOffset, text } of statements) {
      const found = input.slice(startOffset, endOffset);
      expect(found.startsWith(text.toString())).toBe(true);
      expect(found).toMatch(/^[abce\n]+\n*;;?$/);
    }
  });
});

describe('a cut off dump', () => {
  it.each([
    ['INSERT INTO t VALUES (1)', 'statement'],
    ["INSERT INTO t VALUES ('a;", 'string'],
    ['INSERT INTO `t;', 'identifier'],
    ['INSERT /* a;', 'comment'],
    ['/* a;', 'comment'],
    ['a;\n-- b\nx -- c;', 'statement'],
    ['/*!40101 SET a=1', 'statement'],
    ['DELIMITER ;;\na;', 'statement'],
    ["a '\\", 'string'],
    ['a \\', 'statement'],
    ['a /', 'statement'],
    ['a -', 'statement'],
    ['a /*', 'comment'],
    ['a /*!', 'statement'],
  ])('%j ends inside a %s', (input, what) => {
    const result = splitEveryWay(input);
    expect(result.unterminated).toBe(what);
  });

  it('tells where the last statement began', () => {
    const splitter = new StatementSplitter();
    splitter.push(Buffer.from("a;\n\nINSERT INTO t VALUES\n('x"));
    const { unterminated } = splitter.finish();
    expect(unterminated).toMatchObject({ what: 'string', line: 3, startOffset: 4 });
    expect(unterminated?.statement?.kind).toBe('INSERT');
  });

  it('is refused once a statement is longer than the limit', () => {
    const splitter = new StatementSplitter({ statementBytesMax: 1000 });
    splitter.push(Buffer.from("a;\nb '"));
    expect(() => {
      for (let count = 0; count < 100; count += 1) splitter.push(Buffer.alloc(64, 0x3b));
    }).toThrow(/begins on line 2 to end within 1000 bytes/);
  });

  it('does not count comments between statements against the limit', () => {
    const splitter = new StatementSplitter({ statementBytesMax: 1000 });
    splitter.push(Buffer.from('/*'));
    for (let count = 0; count < 100; count += 1) splitter.push(Buffer.alloc(64, 0x2a));
    expect(splitter.push(Buffer.from(`/a;${' '.repeat(64)}`))).toHaveLength(1);
  });
});
