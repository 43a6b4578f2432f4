/** Runs the catalog's code in processes of its own, so that they can be killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = new URL('../..', import.meta.url).pathname;
const OUTPUT_CHARACTERS_MAX = 1_000_000;

/** Translates src/catalog and the two files that it stands on into a new directory; gives its path. */
export function translateCatalog(): string {
  const directory = mkdtempSync(join(tmpdir(), 'reshelve-translated-'));
  const sources = readdirSync(join(ROOT, 'src/catalog')).map((name) => `catalog/${name}`);
  for (const source of ['errors.ts', 'file-errors.ts', ...sources]) {
    const text = readFileSync(join(ROOT, 'src', source), 'utf8');
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    const path = join(directory, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

export interface Child {
  readonly process: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves when `text` is in the output; rejects if the child ends before. */
  said(text: string): Promise<void>;
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

/** Starts `script`, an ES module in which `import` paths are relative to `directory`. */
export function startChild(directory: string, script: string, ...args: string[]): Child {
  const name = join(directory, `child-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(name, script);
  const child = spawn(process.execPath, [name, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
      };
      look();
      child.stdout.on('data', look);
      void ended.then(() => {
        look();
        reject(new Error(`the child ended without "${text}": ${output}`));
      });
    });
  return { process: child, output: () => output, said, ended };
}
