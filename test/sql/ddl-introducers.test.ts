import { describe, expect, it } from 'vitest';
import { withHexLiterals } from '../../src/sql/ddl-introducers.js';

function rewrite(...parts: readonly (string | readonly number[])[]): string {
  const bytes = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(part) : Uint8Array.from(part),
  );
  return withHexLiterals(Buffer.concat(bytes)).toString('utf8');
}

describe('literals behind an introducer', () => {
  it('are in hex where they hold bytes of another character set', () => {
    expect(rewrite("a text DEFAULT (_latin1'x", [0xe9], "'),")).toBe(
      'a text DEFAULT (_latin1 0x78E9),',
    );
    expect(rewrite("_utf16'", [0xd8], '=', [0xde], "\\0'")).toBe('_utf16 0xD83DDE00');
  });

  it('count each escaped byte once', () => {
    // In sjis 0x835C is one character, whose second byte the server escapes all the same.
    expect(rewrite("_sjis'", [0x83], "\\\\'")).toBe('_sjis 0x835C');
    expect(rewrite("_binary'", [0xff], "\\0\\n\\r\\Z\\t\\b\\'''\\\"?'")).toBe(
      '_binary 0xFF000A0D1A09082727223F',
    );
  });

  it('stay as they are in ASCII and in UTF-8', () => {
    const text =
      "CREATE TABLE `_latin1` (`é` char(1) CHECK (`é` <> _utf8mb4'😀' or _latin1'a\\n' or 'ü'))";
    expect(rewrite(text)).toBe(text);
    expect(rewrite("_utf8mb3'é' _latin1'?'")).toBe("_utf8mb3'é' _latin1'?'");
  });

  it('are all found', () => {
    expect(rewrite("f(_gbk'", [0x81], "\\\\',_cp1251'", [0xff], "') '", 'é', "'")).toBe(
      "f(_gbk 0x815C,_cp1251 0xFF) 'é'",
    );
  });
});
