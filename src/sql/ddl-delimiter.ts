/** The delimiter between which a body can stand in a file for the mysql client. */

const DELIMITERS = [';;', '$$', '//', '||', '!!', '~~', '^^'] as const;

/**
 * A delimiter that does not occur in `text`, anywhere, nor where `text` and the delimiter meet.
 * `;;` unless the text holds that.
 */
export function chooseDelimiter(text: Uint8Array): string {
  for (const delimiter of DELIMITERS) if (isUsable(text, delimiter)) return delimiter;
  for (let number = 1; ; number += 1) {
    const delimiter = `;;${number};;`;
    // A text of n bytes holds fewer than n different ones, so this ends.
    if (isUsable(text, delimiter)) return delimiter;
  }
}

function isUsable(text: Uint8Array, delimiter: string): boolean {
  const joined = Buffer.concat([text, Buffer.from(delimiter)]);
  return joined.indexOf(delimiter) === text.length;
}
