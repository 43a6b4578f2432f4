/** Where settings come from: the real environment before .env, secrets also out of files. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { isSecret } from './settings.js';
import type { SettingName } from './settings.js';

export type Variables = Readonly<Record<string, string | undefined>>;

interface Layer {
  /** For messages: `in the environment`, `in .env`. */
  readonly where: string;
  readonly variables: Variables;
}

/** A setting's text as found; `where` completes "NAME …:". */
export interface Found {
  readonly text: string;
  readonly where: string;
}

export interface DotEnv {
  readonly text: string;
  readonly variables: Variables;
}

const DOT_ENV_BYTES_MAX = 1024 * 1024;
const SECRET_FILE_BYTES_MAX = 64 * 1024;

/** Reads .env of `cwd`; a missing one is empty. What cannot be used goes to `problems`. */
export function readDotEnv(cwd: string, problems: string[]): DotEnv {
  const read = readSmallFile(resolve(cwd, '.env'), DOT_ENV_BYTES_MAX);
  if ('problem' in read) {
    if (read.code !== 'ENOENT') problems.push(`.env: ${read.problem}`);
    return { text: '', variables: {} };
  }
  if (read.bytes.includes(0)) {
    problems.push('.env: expected UTF-8 text but found NUL bytes; save it as UTF-8');
    return { text: '', variables: {} };
  }
  const text = read.bytes.toString('utf8').replace(/^\uFEFF/, '');
  return { text, variables: parseEnv(text) };
}

/** Looks settings up, layer by layer, and collects what is wrong. */
export class Sources {
  readonly problems: string[];
  readonly #cwd: string;
  readonly #layers: readonly Layer[];

  constructor(cwd: string, environment: Variables, dotEnv: Variables, problems: string[]) {
    this.#cwd = cwd;
    this.problems = problems;
    this.#layers = [
      { where: 'in the environment', variables: environment },
      { where: 'in .env', variables: dotEnv },
    ];
  }

  /**
   * The first layer that has the setting wins, even where it is empty there: empty text takes a
   * value of .env back. Undefined: nothing is set, or a problem has been noted.
   */
  find(name: SettingName): Found | undefined {
    for (const { where, variables } of this.#layers) {
      const text = variables[name];
      const file = isSecret(name) ? (variables[`${name}_FILE`] ?? '') : '';
      if (file !== '') {
        if ((text ?? '') === '') return this.#readSecret(name, file, where);
        this.problems.push(`${name} ${where}: expected ${name} or ${name}_FILE but found both`);
        return undefined;
      }
      if (text !== undefined) return { text: isSecret(name) ? text : text.trim(), where };
    }
    return undefined;
  }

  /** True where `find` would look at a text that is not empty. Notes no problem. */
  isSet(name: SettingName): boolean {
    for (const { variables } of this.#layers) {
      const text = variables[name];
      if (isSecret(name) && (variables[`${name}_FILE`] ?? '') !== '') return true;
      if (text !== undefined) return text !== '';
    }
    return false;
  }

  #readSecret(name: SettingName, file: string, where: string): Found | undefined {
    const path = resolve(this.#cwd, file);
    const read = readSmallFile(path, SECRET_FILE_BYTES_MAX);
    if ('problem' in read) {
      this.problems.push(`${name}_FILE ${where}: ${path}: ${read.problem}`);
      return undefined;
    }
    return { text: read.bytes.toString('utf8').replace(/\r?\n$/, ''), where: `in ${path}` };
  }
}

/** Undefined where `path` can be read, else what is wrong with it. */
export function fileProblem(path: string): string | undefined {
  const read = readSmallFile(path, DOT_ENV_BYTES_MAX);
  return 'problem' in read ? read.problem : undefined;
}

type SmallFile = { readonly bytes: Buffer } | { readonly problem: string; readonly code: string };

function readSmallFile(path: string, bytesMax: number): SmallFile {
  try {
    // Looked at before it is opened: a device or a pipe could be read for ever.
    const stats = statSync(path);
    if (!stats.isFile())
      return { problem: 'expected a file but found something else', code: 'KIND' };
    if (stats.size > bytesMax) {
      return {
        problem: `expected at most ${bytesMax} bytes but found ${stats.size}`,
        code: 'SIZE',
      };
    }
    return { bytes: readFileSync(path) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    return { problem: `expected a readable file but found none (${code})`, code };
  }
}
