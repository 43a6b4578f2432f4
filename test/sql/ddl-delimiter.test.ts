import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseDelimiter } from '../../src/sql/ddl-delimiter.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';

const choose = (text: string): string => chooseDelimiter(Buffer.from(text));

describe('the delimiter', () => {
  it('is two semicolons unless the text holds them', () => {
    expect(choose('BEGIN SELECT 1; END')).toBe(';;');
    expect(choose('BEGIN SELECT 1;; END')).toBe('$$');
    expect(choose("SELECT ';;', '$$'")).toBe('//');
    expect(choose('SELECT ";; $$ // || !! ~~ ^^"')).toBe(';;1;;');
    expect(choose('SELECT ";; $$ // || !! ~~ ^^ ;;1;; ;;2;;"')).toBe(';;3;;');
  });

  it('does not begin in the end of the text', () => {
    expect(choose('SELECT 1;')).toBe('$$');
    expect(choose('AS $$ x; ;$')).toBe(';;');
    expect(choose('AS ;; x /')).toBe('$$');
  });

  it('lets the splitter find any body again', () => {
    const piece = fc.constantFrom(
      ';',
      ';;',
      '$',
      '$$',
      '/',
      '//',
      'a',
      ' ',
      '\n',
      '|',
      '!',
      '~',
      '^',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const body = `CREATE PROCEDURE p() BEGIN ${pieces.join('')} END`;
        const delimiter = choose(body);
        const splitter = new StatementSplitter();
        const file = `DELIMITER ${delimiter}\n${body}\n${delimiter}\nDELIMITER ;\nSELECT 1;\n`;
        const found = splitter.push(Buffer.from(file));
        found.push(...splitter.finish().last);
        expect(found.map(({ text }) => text.toString())).toEqual([body, 'SELECT 1']);
      }),
    );
  });
});
