/** Turns found texts into values and notes what is wrong with them. */
import { resolve } from 'node:path';
import { assert } from '../errors.js';
import { fallbackOf, isSecret } from './settings.js';
import type { SettingName } from './settings.js';
import { fileProblem } from './sources.js';
import type { Found, Sources } from './sources.js';
import { path as readPath } from './values.js';
import type { ValueReader } from './values.js';

const SHOWN_CHARACTERS_MAX = 60;

export class SettingReader {
  readonly sources: Sources;
  readonly #cwd: string;

  constructor(sources: Sources, cwd: string) {
    this.sources = sources;
    this.#cwd = cwd;
  }

  /**
   * A setting with a default. After a mistake, which is noted, the default stands in so that the
   * other settings are still looked at; the caller throws in the end.
   */
  required<T>(name: SettingName, read: ValueReader<T>): T {
    const fallback = fallbackOf(name);
    assert(fallback !== undefined, `${name} has a default`);
    const value = this.optional(name, read);
    if (value !== undefined) return value;
    const reading = read(fallback);
    assert('value' in reading, `the default of ${name} is valid`);
    return reading.value;
  }

  /** Undefined where nothing is set, the text is empty, or a mistake has been noted. */
  optional<T>(name: SettingName, read: ValueReader<T>): T | undefined {
    const found = this.sources.find(name);
    if (found === undefined || found.text === '') return undefined;
    const reading = read(found.text);
    if ('value' in reading) return reading.value;
    this.note(name, found, `expected ${reading.expected} but found ${shown(name, found.text)}`);
    return undefined;
  }

  /** Also an empty text counts: an empty password is one. */
  secretText(name: SettingName): string | undefined {
    return this.sources.find(name)?.text;
  }

  /** The absolute path of a file that can be read now. */
  readableFile(name: SettingName): string | undefined {
    const written = this.optional(name, readPath);
    if (written === undefined) return undefined;
    const path = resolve(this.#cwd, written);
    const problem = fileProblem(path);
    if (problem === undefined) return path;
    this.note(name, this.sources.find(name), `${path}: ${problem}`);
    return undefined;
  }

  /** An absolute path; whether there is something is found out when it is used. */
  absolutePath(name: SettingName): string | undefined {
    const written = this.optional(name, readPath);
    return written === undefined ? undefined : resolve(this.#cwd, written);
  }

  note(name: SettingName, found: Found | undefined, problem: string): void {
    const where = found === undefined ? '' : ` ${found.where}`;
    this.sources.problems.push(`${name}${where}: ${problem}`);
  }
}

/** The text in quotes, cut, on one line; user and password of a URL left out. */
function shown(name: SettingName, text: string): string {
  if (isSecret(name)) return 'a value that is not shown';
  const bare = text.replace(/\/\/[^/]*@/, '//…@');
  const cut = bare.length > SHOWN_CHARACTERS_MAX ? `${bare.slice(0, SHOWN_CHARACTERS_MAX)}…` : bare;
  return JSON.stringify(cut);
}
