import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doubtfulColumns, withTrueLiterals } from '../../src/sql/ddl-lost-characters.js';
import type { TrueColumn, TrueText } from '../../src/sql/ddl-lost-characters.js';
import { significantTokens } from '../../src/sql/tokenizer.js';

const TABLE = Buffer.from(
  [
    'CREATE TABLE `t?` (',
    "  `e``?` enum('?','a','it''s?') NOT NULL DEFAULT '?',",
    "  `s` set('b','?)') CHARACTER SET utf16 DEFAULT 0x3F COMMENT 'why?',",
    "  `v` varchar(20) DEFAULT 'q?' COMMENT 'DEFAULT \\'?\\'',",
    "  `x` text DEFAULT (concat('?')),",
    "  `g` int GENERATED ALWAYS AS (f(DEFAULT,'?')) VIRTUAL,",
    "  `plain` enum('a','b') DEFAULT 'a' COMMENT '?',",
    "  KEY `k` ((concat(`v`,_utf8mb4'?'))),",
    "  CONSTRAINT `c` CHECK (`v` <> _utf8mb4'?')",
    ") ENGINE=InnoDB COMMENT='?'",
  ].join('\n'),
);

function found(at: { readonly start: number; readonly end: number } | undefined): string {
  return at === undefined ? '' : TABLE.toString('utf8', at.start, at.end);
}

describe('doubtful columns', () => {
  it('are those with a `?` in a member or a literal default', () => {
    const columns = doubtfulColumns(TABLE).map(({ name, type, members, defaultValue }) => ({
      name,
      type,
      members: [...members].map(([number, place]) => [number, found(place)]),
      defaultValue: found(defaultValue),
    }));
    expect(columns).toEqual([
      {
        name: 'e`?',
        type: 'enum',
        members: [
          [1, "'?'"],
          [3, "'it''s?'"],
        ],
        defaultValue: "'?'",
      },
      { name: 's', type: 'set', members: [[2, "'?)'"]], defaultValue: '' },
      { name: 'v', type: 'other', members: [], defaultValue: "'q?'" },
    ]);
  });

  it('are none in a text without `?` or that is no CREATE TABLE', () => {
    expect(doubtfulColumns(Buffer.from("CREATE TABLE `t` (`e` enum('a'))"))).toEqual([]);
    expect(doubtfulColumns(Buffer.from("CREATE VIEW `v` AS SELECT '?'"))).toEqual([]);
  });
});

function text(value: string, characterSet = 'utf8mb4', bytes = Buffer.from(value)): TrueText {
  return { characterSet, bytes, text: value };
}

function repaired(truth: Record<string, TrueColumn>): string {
  const columns = doubtfulColumns(TABLE);
  return withTrueLiterals(TABLE, columns, new Map(Object.entries(truth))).toString('utf8');
}

describe('true literals', () => {
  it('take the place of the printed ones and of nothing else', () => {
    const wide = Buffer.from('😀)', 'utf16le').swap16();
    const result = repaired({
      'e`?': { members: new Map([[1, text('😀')]]), defaultValue: text('😀') },
      s: { members: new Map([[2, text('😀)', 'utf16', wide)]]) },
      v: { members: new Map(), defaultValue: text("q'\\🎉") },
    });
    expect(result).toBe(
      TABLE.toString('utf8')
        .replace("enum('?'", "enum('😀'")
        .replace("NULL DEFAULT '?'", "NULL DEFAULT '😀'")
        .replace("'?)'", "'😀)'")
        .replace("'q?'", "'q''\\\\🎉'"),
    );
  });

  it('are bytes where the character set has characters that Unicode lacks', () => {
    const bytes = Buffer.from('84318130', 'hex');
    const result = repaired({ s: { members: new Map([[2, text('?', 'gb18030', bytes)]]) } });
    expect(result).toContain("set('b',0x84318130)");
  });

  it('that are as printed change nothing', () => {
    const result = repaired({
      'e`?': {
        members: new Map([
          [1, text('?')],
          [3, text("it's?")],
        ]),
        defaultValue: text('?'),
      },
      s: { members: new Map([[2, text('?)', 'utf16', Buffer.from('003f0029', 'hex'))]]) },
    });
    expect(result).toBe(TABLE.toString('utf8'));
  });

  it('are one string token each, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const sql = Buffer.from(repaired({ v: { members: new Map(), defaultValue: text(value) } }));
        expect(significantTokens(sql).length).toBe(significantTokens(TABLE).length);
        expect(sql.includes('\n  `x` text DEFAULT (')).toBe(true);
      }),
    );
  });
});
