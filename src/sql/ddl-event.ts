/** Reads and sets whether an event runs, in the text that SHOW CREATE EVENT gives. */
import { ReshelveError } from '../errors.js';
import { applyEdits, lexOptions } from './ddl-text.js';
import type { DdlOptions } from './ddl-text.js';
import { keywordOf, operatorOf, significantTokens } from './tokenizer.js';
import type { Token } from './tokenizer.js';

/** `DISABLE ON SLAVE` is what MariaDB and MySQL before 8.0.26 call `DISABLE ON REPLICA`. */
export type EventStatus = 'ENABLE' | 'DISABLE' | 'DISABLE ON REPLICA' | 'DISABLE ON SLAVE';

interface EventHeader {
  readonly status: EventStatus | undefined;
  /** Range of the status, or the empty range where one belongs. */
  readonly start: number;
  readonly end: number;
}

/** The status that the text names; ENABLE, the server's default, where it names none. */
export function readEventStatus(text: Uint8Array, options: DdlOptions = {}): EventStatus {
  return parseHeader(text, options).status ?? 'ENABLE';
}

/**
 * The statement with another status. Name, schedule, comment and body stay byte for byte. Throws
 * ReshelveError UNSUPPORTED where `text` is not the definition of an event.
 */
export function setEventStatus(
  text: Uint8Array,
  status: EventStatus,
  options: DdlOptions = {},
): Buffer {
  const header = parseHeader(text, options);
  const space = header.status === undefined ? ' ' : '';
  const replacement = Buffer.from(`${status}${space}`);
  return applyEdits(text, [{ start: header.start, end: header.end, replacement }]);
}

function parseHeader(text: Uint8Array, options: DdlOptions): EventHeader {
  const tokens = significantTokens(text, lexOptions(options));
  const schedule = tokens.findIndex(
    (token, at) =>
      keywordOf(text, token) === 'ON' && keywordOf(text, tokens[at + 1]) === 'SCHEDULE',
  );
  const body = schedule === -1 ? -1 : bodyIndex(text, tokens, schedule);
  if (body === -1) {
    throw new ReshelveError(
      'UNSUPPORTED',
      'expected CREATE EVENT … ON SCHEDULE … DO but found another statement',
    );
  }
  return findStatus(text, tokens, schedule, body);
}

/** Index of the DO outside parentheses: the schedule may hold expressions, but no such word. */
function bodyIndex(text: Uint8Array, tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    const operator = operatorOf(text, tokens[at]);
    if (operator === '(') depth += 1;
    if (operator === ')') depth -= 1;
    if (depth === 0 && keywordOf(text, tokens[at]) === 'DO') return at;
  }
  return -1;
}

function findStatus(
  text: Uint8Array,
  tokens: readonly Token[],
  from: number,
  body: number,
): EventHeader {
  let place = body;
  for (let at = from; at < body; at += 1) {
    const word = keywordOf(text, tokens[at]);
    const token = tokens[at];
    if (token === undefined) continue;
    if (word === 'ENABLE') return { status: 'ENABLE', start: token.start, end: token.end };
    if (word === 'DISABLE') return disabledRange(text, tokens, at);
    if (word === 'COMMENT' && tokens[at + 1]?.kind === 'string') place = Math.min(place, at);
  }
  const start = tokens[place]?.start ?? 0;
  return { status: undefined, start, end: start };
}

function disabledRange(text: Uint8Array, tokens: readonly Token[], at: number): EventHeader {
  const [disable, on, where] = tokens.slice(at, at + 3);
  const start = disable?.start ?? 0;
  const role = keywordOf(text, on) === 'ON' ? keywordOf(text, where) : '';
  if (role === 'SLAVE') return { status: 'DISABLE ON SLAVE', start, end: where?.end ?? start };
  if (role === 'REPLICA') return { status: 'DISABLE ON REPLICA', start, end: where?.end ?? start };
  return { status: 'DISABLE', start, end: disable?.end ?? start };
}
