/** Byte classes with which the statement splitter skims over text that cannot end a statement. */
import type { WideCharsetTables } from './tokenizer-charset.js';

/** What a byte can begin outside strings and comments; 0 is text of no interest. */
export const CLASS = {
  plain: 0,
  quote: 1,
  dash: 2,
  hash: 3,
  slash: 4,
  backslash: 5,
  lead: 6,
  delimiter: 7,
  dollar: 8,
  star: 9,
} as const;

export interface ByteTables {
  /** {@link CLASS} of each byte outside strings and comments. */
  readonly text: Uint8Array;
  /** As `text`, but without the class `delimiter`. */
  readonly textWithoutDelimiter: Uint8Array;
  /** By opening quote: non-zero for the bytes at which skimming through the string stops. */
  readonly inQuotes: Readonly<Record<number, Uint8Array>>;
}

export interface TableOptions {
  readonly delimiter: Uint8Array;
  readonly ansiQuotes: boolean;
  readonly backslashEscapes: boolean;
  readonly wide: WideCharsetTables | undefined;
}

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;

export function byteTables(options: TableOptions): ByteTables {
  const plain = new Uint8Array(256);
  plain[QUOTE] = CLASS.quote;
  plain[DOUBLE_QUOTE] = CLASS.quote;
  plain[BACKTICK] = CLASS.quote;
  plain[0x2d] = CLASS.dash;
  plain[0x23] = CLASS.hash;
  plain[0x2f] = CLASS.slash;
  plain[0x24] = CLASS.dollar;
  plain[0x2a] = CLASS.star;
  plain[BACKSLASH] = CLASS.backslash;
  markLeads(plain, options.wide);
  const text = plain.slice();
  text[options.delimiter[0] ?? 0] = CLASS.delimiter;
  return {
    text,
    textWithoutDelimiter: plain,
    inQuotes: {
      [QUOTE]: quoteTable(QUOTE, options.backslashEscapes, options.wide),
      [DOUBLE_QUOTE]: quoteTable(
        DOUBLE_QUOTE,
        options.backslashEscapes && !options.ansiQuotes,
        options.wide,
      ),
      [BACKTICK]: quoteTable(BACKTICK, false, options.wide),
    },
  };
}

function quoteTable(
  quote: number,
  escapes: boolean,
  wide: WideCharsetTables | undefined,
): Uint8Array {
  const table = new Uint8Array(256);
  markLeads(table, wide);
  table[quote] = CLASS.quote;
  if (escapes) table[BACKSLASH] = CLASS.backslash;
  return table;
}

function markLeads(table: Uint8Array, wide: WideCharsetTables | undefined): void {
  if (wide === undefined) return;
  for (let byte = 0x80; byte < 256; byte += 1) {
    if (wide.lead[byte] === 1) table[byte] = CLASS.lead;
  }
}
