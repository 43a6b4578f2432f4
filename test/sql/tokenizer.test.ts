/**
 * Goal: tokens end where the server's own would, for any bytes. Method: vectors by kind, and the
 * property that the tokens' ranges always join to the whole text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, wideCharsetTables } from '../../src/sql/tokenizer-charset.js';
import {
  identifierOf,
  keywordOf,
  latin1Text,
  lexOptionsOfSqlMode,
  operatorOf,
  significantTokens,
  tokenize,
} from '../../src/sql/tokenizer.js';
import type { LexOptions } from '../../src/sql/tokenizer.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Kinds and texts of all tokens but space, as `kind:text`. */
function tokensOf(text: string, options?: LexOptions): string[] {
  const bytes = bytesOf(text);
  return tokenize(bytes, options)
    .filter(({ kind }) => kind !== 'space')
    .map((token) => `${token.kind}:${latin1Text(bytes, token)}`);
}

describe('strings and names', () => {
  it('end at their quote, doubled quotes and escapes inside', () => {
    expect(tokensOf(`'a''b' 'c\\'d' "e""f" \`g\`\`h\``)).toEqual([
      `string:'a''b'`,
      `string:'c\\'d'`,
      'string:"e""f"',
      'quoted:`g``h`',
    ]);
    expect(tokensOf('`a\\` b')).toEqual(['quoted:`a\\`', 'word:b']);
  });

  it('follow the sql_mode', () => {
    const ansi = lexOptionsOfSqlMode('STRICT_ALL_TABLES, ansi_quotes');
    expect(tokensOf('"a\\" b', ansi)).toEqual(['quoted:"a\\"', 'word:b']);
    expect(lexOptionsOfSqlMode('ANSI')).toMatchObject({ ansiQuotes: true });
    expect(lexOptionsOfSqlMode('ORACLE')).toMatchObject({ ansiQuotes: true });
    const plain = lexOptionsOfSqlMode('NO_BACKSLASH_ESCAPES');
    expect(tokensOf(`'a\\' b`, plain)).toEqual([`string:'a\\'`, 'word:b']);
    expect(lexOptionsOfSqlMode('')).toEqual({ ansiQuotes: false, noBackslashEscapes: false });
  });

  it('follow the character set', () => {
    expect(tokensOf(`'\x83\\' b`, { charset: 'sjis' })).toEqual([`string:'\x83\\'`, 'word:b']);
    expect(tokensOf('`\x83`` b', { charset: 'cp932' })).toEqual(['quoted:`\x83``', 'word:b']);
    expect(tokensOf('a\x81\\b', { charset: 'gbk' })).toEqual(['word:a\x81\\b']);
    expect(tokensOf('a\x81\\b', { charset: 'utf8mb4' })).toEqual([
      'word:a\x81',
      'operator:\\',
      'word:b',
    ]);
    expect(wideCharsetTables('13')?.name).toBe('sjis');
    expect(wideCharsetTables('GB18030')?.name).toBe('gb18030');
    expect(wideCharsetTables('constructor')).toBeUndefined();
    expect(wideCharsetTables(undefined)).toBeUndefined();
  });

  it('say when they are cut off', () => {
    for (const text of ["'a", '"a', '`a', '/* a', "@'a", '@@`a', 'x AS $$ a', "'a\\"]) {
      expect(tokenize(bytesOf(text)).at(-1)?.terminated, text).toBe(false);
    }
    expect(tokenize(bytesOf('-- a')).at(-1)?.terminated).toBe(true);
  });

  it('are quoted by dollars after AS only', () => {
    expect(tokensOf("AS $$ don't $$ x")).toEqual(['word:AS', "string:$$ don't $$", 'word:x']);
    expect(tokensOf('AS /* c */ $a$ $$ $a$')).toEqual([
      'word:AS',
      'comment:/* c */',
      'string:$a$ $$ $a$',
    ]);
    expect(tokensOf('AS $x, $$a')).toEqual(['word:AS', 'word:$x', 'operator:,', 'word:$$a']);
  });
});

describe('comments', () => {
  it('end at the line or at their mark', () => {
    expect(tokensOf("a -- b'\nc # d'\ne /* f' ; */ g --")).toEqual([
      'word:a',
      "comment:-- b'",
      'word:c',
      "comment:# d'",
      'word:e',
      "comment:/* f' ; */",
      'word:g',
      'comment:--',
    ]);
    expect(tokensOf('1--1')).toEqual(['number:1', 'operator:-', 'operator:-', 'number:1']);
    expect(tokensOf('/**/a/***/b')).toEqual(['comment:/**/', 'word:a', 'comment:/***/', 'word:b']);
  });

  it('with a version are entered, hints are not', () => {
    expect(tokensOf("/*!50003 a */ /*!b*/ /*M!100100 c*/ /*+ don't */")).toEqual([
      'comment-open:/*!50003',
      'word:a',
      'comment-close:*/',
      'comment-open:/*!',
      'word:b',
      'comment-close:*/',
      'comment-open:/*M!100100',
      'word:c',
      'comment-close:*/',
      "comment:/*+ don't */",
    ]);
    expect(tokensOf('/*!1234567*/')[0]).toBe('comment-open:/*!123456');
    expect(tokensOf('2*/**/3')).toEqual(['number:2', 'operator:*', 'comment:/**/', 'number:3']);
    expect(tokensOf('2 */ 3')).toContain('operator:*');
    expect(tokensOf('/*!1 a /* b */ c */ d').at(-2)).toBe('comment-close:*/');
  });
});

describe('words, numbers and variables', () => {
  it('know numbers from names that begin with digits', () => {
    expect(tokensOf('1 1.5 .5 1. 1e5 1.5E-3 1e+2 0x1F 0b01')).toEqual(
      ['1', '1.5', '.5', '1.', '1e5', '1.5E-3', '1e+2', '0x1F', '0b01'].map((n) => `number:${n}`),
    );
    expect(tokensOf('1st 1e 0xG 0b2 1$')).toEqual(
      ['1st', '1e', '0xG', '0b2', '1$'].map((word) => `word:${word}`),
    );
    expect(tokensOf('a.1b.2')).toEqual(['word:a', 'operator:.', 'word:1b', 'operator:.', 'word:2']);
    expect(tokensOf('`a`.5')).toEqual(['quoted:`a`', 'operator:.', 'word:5']);
  });

  it('take bytes beyond ASCII as letters', () => {
    expect(tokensOf('caf\xc3\xa9_1$ x')).toEqual(['word:caf\xc3\xa9_1$', 'word:x']);
  });

  it('keep variables and host names whole', () => {
    expect(tokensOf("@a.b @`c.d` @'e' @@global.sql_mode @@`x`.y root@local.host @@")).toEqual([
      'variable:@a.b',
      'variable:@`c.d`',
      "variable:@'e'",
      'variable:@@global.sql_mode',
      'variable:@@`x`.y',
      'word:root',
      'variable:@local.host',
      'variable:@@',
    ]);
    expect(tokensOf('@a:=1')).toEqual(['variable:@a', 'operator::', 'operator:=', 'number:1']);
  });
});

describe('helpers', () => {
  it('give keywords, operators and names', () => {
    const text = Buffer.from('select `a``b` "c" , Äb');
    const [select, quoted, text2, comma, word] = significantTokens(text);
    expect(keywordOf(text, select)).toBe('SELECT');
    expect(keywordOf(text, quoted)).toBe('');
    expect(keywordOf(text, undefined)).toBe('');
    expect(operatorOf(text, comma)).toBe(',');
    expect(operatorOf(text, select)).toBe('');
    expect(identifierOf(text, quoted)).toBe('a`b');
    expect(identifierOf(text, text2)).toBeUndefined();
    expect(identifierOf(text, word)).toBe('Äb');
    expect(identifierOf(text, undefined)).toBeUndefined();
  });

  it('decode text by the name that MySQL gives the character set', () => {
    expect(decodeText(Buffer.from([0x83, 0x5c]), 'sjis')).toBe('ソ');
    expect(decodeText(Buffer.from([0xe9]), 'latin1')).toBe('é');
    expect(decodeText(Buffer.from('é'), 'utf8mb4')).toBe('é');
    expect(decodeText(Buffer.from('é'))).toBe('é');
  });
});

describe('any bytes', () => {
  it('are covered by tokens without gap or overlap', () => {
    const unit = fc.constantFrom(
      ...[
        "'",
        '"',
        '`',
        '\\',
        '/',
        '*',
        '!',
        '+',
        '-',
        '#',
        '\n',
        ' ',
        '@',
        '.',
        '$',
        'a',
        'AS ',
        '1',
      ],
      ...['e', '0x', '\x83', '\x5c', '\x00', ';', 'M!'],
    );
    const charset = fc.constantFrom(undefined, 'sjis', 'gbk', 'big5', 'gb18030');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 60 }),
        fc.boolean(),
        fc.boolean(),
        charset,
        (text, ansiQuotes, noBackslashEscapes, name) => {
          const bytes = bytesOf(text);
          const options = { ansiQuotes, noBackslashEscapes, ...(name ? { charset: name } : {}) };
          let at = 0;
          for (const { start, end } of tokenize(bytes, options)) {
            expect(start).toBe(at);
            expect(end).toBeGreaterThan(start);
            at = end;
          }
          expect(at).toBe(bytes.length);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
