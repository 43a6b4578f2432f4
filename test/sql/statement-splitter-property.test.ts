/**
 * Goal: no text misleads the splitter. Method: joined statements must come apart again, and the
 * tokenizer, which finds the ends by another way, must agree on any text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenize } from '../../src/sql/tokenizer.js';
import { splitChunks } from './split-support.js';

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
