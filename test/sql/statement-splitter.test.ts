/**
 * Goal: the splitter finds the statements that the mysql client would send, whatever the cuts
 * between chunks. Method: vectors of unkind text, each run whole, cut at every byte and byte by
 * byte; a property over generated statements.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReshelveError } from '../../src/errors.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';
import type { SplitStatement, SplitterOptions } from '../../src/sql/statement-splitter.js';
import { tokenize } from '../../src/sql/tokenizer.js';

interface Result {
  readonly texts: readonly string[];
  readonly kinds: readonly string[];
  readonly lines: readonly number[];
  readonly unterminated: string | undefined;
  readonly statements: readonly SplitStatement[];
}

function splitChunks(chunks: readonly Buffer[], options?: SplitterOptions): Result {
  const splitter = new StatementSplitter(options);
  const statements = chunks.flatMap((chunk) => splitter.push(chunk));
  const end = splitter.finish();
  statements.push(...end.last);
  return {
    texts: statements.map(({ text }) => text.toString('latin1')),
    kinds: statements.map(({ kind }) => kind),
    lines: statements.map(({ line }) => line),
    unterminated: end.unterminated?.what,
    statements,
  };
}

function split(input: string | Buffer, options?: SplitterOptions): Result {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  return splitChunks([bytes], options);
}

/** Splits `input` whole, cut in two everywhere and byte by byte; all must agree. */
function splitEveryWay(input: string | Buffer, options?: SplitterOptions): Result {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const whole = splitChunks([bytes], options);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const inTwo = splitChunks([bytes.subarray(0, cut), bytes.subarray(cut)], options);
    expect(inTwo, `cut at ${cut}`).toEqual(whole);
  }
  const single = Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
  expect(splitChunks(single, options), 'byte by byte').toEqual(whole);
  return whole;
}

function texts(input: string | Buffer, options?: SplitterOptions): readonly string[] {
  const result = splitEveryWay(input, options);
  expect(result.unterminated).toBeUndefined();
  return result.texts;
}

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

describe('properties', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'select',
      'a',
      '1',
      '/',
      '-',
      '*',
      '(',
      ')',
      ',',
      '@x',
      '=',
      '$',
      '\\N',
      '\n',
      '\r\n',
    ),
    fc
      .string({ unit: 'binary' })
      .map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    fc
      .string({ unit: 'binary' })
      .map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`),
    fc.string({ unit: 'binary' }).map((text) => `\`${text.replaceAll('`', '``')}\``),
    fc.string().map((text) => `-- ${text.replaceAll('\n', '')}\n`),
    fc.string().map((text) => `#${text.replaceAll('\n', '')}\n`),
    fc.string().map((text) => `/*x${text.replaceAll('*/', '')}*/`),
    fc.string({ unit: fc.constantFrom('a', '1', ' ') }).map((text) => `/*!50003 ${text}*/`),
  );
  const statement = fc
    .array(piece, { minLength: 0, maxLength: 8 })
    .map((pieces) => `select ${pieces.join(' ')} end`);
  const delimiter = fc.constantFrom(';', ';;', '$$', '//', '|', '/*!*/;');

  it('split(join(statements)) is the statements, for any cuts', () => {
    fc.assert(
      fc.property(
        fc.array(statement, { maxLength: 6 }),
        delimiter,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (statements, mark, sizes) => {
          const usable = statements.filter((text) => mark === ';' || !text.includes(mark));
          const head = mark === ';' ? '' : `DELIMITER ${mark}\n`;
          const joined = head + usable.map((text) => `${text} ${mark}\n`).join('-- between\n');
          const bytes = Buffer.from(joined);
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          const result = splitChunks(chunks);
          expect(result.statements.map(({ text }) => text.toString())).toEqual(usable);
          expect(result.unterminated).toBeUndefined();
        },
      ),
    );
  });

  /** Statements and what is left open, by another way: the semicolons among the tokens. */
  function splitTokens(bytes: Buffer): { texts: string[]; isOpen: boolean } {
    const found: string[] = [];
    let first: number | undefined;
    let last = 0;
    let isOpenComment = false;
    for (const { kind, start, end, terminated } of tokenize(bytes)) {
      isOpenComment = kind === 'comment' && !terminated;
      if (kind === 'operator' && bytes[start] === 0x3b) {
        if (first !== undefined) found.push(bytes.toString('latin1', first, last).trimEnd());
        first = undefined;
        continue;
      }
      if (kind !== 'space' && (kind !== 'comment' || first !== undefined)) {
        first ??= start;
        last = end;
      }
    }
    return { texts: found, isOpen: first !== undefined || isOpenComment };
  }

  it('the splitter and the tokenizer agree on any text', () => {
    const unit = fc.constantFrom(
      ...[
        "'",
        '"',
        '`',
        '\\',
        '/',
        '*',
        '/*',
        '*/',
        '/*!',
        '/*M!',
        '/*+',
        '-',
        '-- ',
        '#',
        '\n',
        ' ',
      ],
      ...['a', ';', ' AS $$', '$a$', '$', '.', '1', '\x83', '\x00', 'M!', '!'],
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const byTokens = splitTokens(bytes);
        const result = splitChunks([bytes]);
        expect(result.texts).toEqual(byTokens.texts);
        expect(result.unterminated !== undefined).toBe(byTokens.isOpen);
      }),
      { numRuns: 5000 },
    );
  });
});
