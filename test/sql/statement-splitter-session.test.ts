/**
 * Goal: what a dump says to the client or sets in its session changes how the rest is read. Method:
 * the forms that dump tools write, run in every way that they can be cut.
 */
import { describe, expect, it } from 'vitest';
import { splitEveryWay, texts } from './split-support.js';

describe('client commands', () => {
  it('are reported with a kind of their own', () => {
    const result = splitEveryWay('source a.sql\nselect 1;\n\\. b.sql\n;system rm x;tee f\nx;');
    expect(result.kinds).toEqual([
      'CLIENT SOURCE',
      'SELECT',
      'CLIENT \\.',
      'CLIENT SYSTEM',
      'CLIENT TEE',
      'X',
    ]);
  });

  it('end a statement where they are go and ego', () => {
    expect(texts('select 1\\Gselect 2\\g select \\N;x;')).toEqual([
      'select 1',
      'select 2',
      'select \\N',
      'x',
    ]);
  });

  it('are noted in the middle of a statement', () => {
    const { statements } = splitEveryWay('select 1 \\c select 2;select 3;');
    expect(statements.map(({ clientCommand }) => clientCommand)).toEqual(['\\c', undefined]);
  });

  it('USE needs no delimiter at the end of its line', () => {
    const result = splitEveryWay('use `a b`\ncreate table t;USE c;\nuse\nd;useless;');
    expect(result.texts).toEqual(['use `a b`', 'create table t', 'USE c', 'use\nd', 'useless']);
    expect(result.kinds).toEqual(['USE', 'CREATE TABLE', 'USE', 'USE', 'USELESS']);
  });
});

describe('session state', () => {
  it('follows sql_mode, so that a backslash ends no string under NO_BACKSLASH_ESCAPES', () => {
    const input =
      '/*!50003 SET @saved_sql_mode = @@sql_mode */ ;\n' +
      "/*!50003 SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;\n" +
      `DELIMITER ;;\nselect '\\', "\\";;\nDELIMITER ;\n` +
      '/*!50003 SET sql_mode = @saved_sql_mode */ ;\nselect \'\\\';\', "\\";";';
    const { texts: found, statements } = splitEveryWay(input);
    expect(found[2]).toBe(`select '\\', "\\"`);
    expect(found[4]).toBe(`select '\\';', "\\";"`);
    expect(statements[2]?.lex).toMatchObject({ ansiQuotes: true, noBackslashEscapes: true });
    expect(statements[4]?.lex).toMatchObject({ ansiQuotes: false, noBackslashEscapes: false });
  });

  it.each([
    ["SET sql_mode='no_backslash_escapes'"],
    ['SET SESSION sql_mode = NO_BACKSLASH_ESCAPES'],
    ["SET @@session.sql_mode := 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'"],
    ["SET @@sql_mode=CONCAT(@@sql_mode,',NO_BACKSLASH_ESCAPES')"],
    ["SET @@sql_mode=CONCAT_WS(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')"],
    ['SET @@session.sql_mode=1048576/*!*/'],
    ["SET @a=1, @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES'"],
    ["SET GLOBAL x=1, SESSION `sql_mode`='NO_BACKSLASH_ESCAPES'"],
  ])('understands %s', (statement) => {
    expect(texts(`${statement};select '\\';x;`)).toEqual([statement, `select '\\'`, 'x']);
  });

  it.each([
    ["SET GLOBAL sql_mode='NO_BACKSLASH_ESCAPES'"],
    ["SET @@global.sql_mode='NO_BACKSLASH_ESCAPES'"],
    ["SET @sql_mode='NO_BACKSLASH_ESCAPES'"],
    ["SET sql_mode=REPLACE('NO_BACKSLASH_ESCAPES','NO_BACKSLASH_ESCAPES','')"],
    ["SET sql_mode='NO_BACKSLASH_ESCAPES',sql_mode=DEFAULT"],
  ])('is not misled by %s', (statement) => {
    expect(texts(`${statement};select '\\';';x;`)).toEqual([statement, `select '\\';'`, 'x']);
  });

  it('follows the character set: 0x5C and 0x60 as second bytes are no backslash or backtick', () => {
    const input = "SET NAMES sjis;select '\x83\\', `\x83`;`;SET NAMES utf8mb4;select '\x83\\';';x;";
    expect(texts(input)).toEqual([
      'SET NAMES sjis',
      "select '\x83\\', `\x83`;`",
      'SET NAMES utf8mb4',
      "select '\x83\\';'",
      'x',
    ]);
    expect(
      texts(
        "SET @c=@@character_set_client;SET character_set_client = gbk;a'\x81\\';SET character_set_client=@c;b'\\';';",
      ),
    ).toHaveLength(5);
    expect(texts("SET @@session.character_set_client=13/*!*/;a'\x83\\';b;")).toHaveLength(3);
    expect(texts("charset big5\na'\xa1\\';b;")).toHaveLength(3);
    // An escaped lead byte does not take its trail byte with it: the server reads it so.
    expect(texts("SET NAMES sjis;select '\\\x83\\';';x;")).toHaveLength(3);
    // A lead byte before a quote is one byte.
    expect(texts("SET NAMES sjis;select '\x83';x;")).toHaveLength(3);
  });

  it('follows the client’s own command for its character set, as in binary log dumps', () => {
    const input = "/*!999999 \\C sjis */;\na'\x83\\';\n/*!\\C utf8mb4 *//*!*/;\nb'\\';';";
    const { kinds, texts: found } = splitEveryWay(input);
    expect(kinds).toEqual(['CLIENT \\C', 'A', 'CLIENT \\C', 'B']);
    expect(found[3]).toBe("b'\\';'");
  });

  it('starts from the modes that it is given', () => {
    expect(texts("a'\\';b;", { sqlMode: 'NO_BACKSLASH_ESCAPES' })).toEqual(["a'\\'", 'b']);
    expect(texts("a'\x83\\';b;", { charset: 'cp932' })).toEqual(["a'\x83\\'", 'b']);
  });
});
