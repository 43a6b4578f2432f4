/** The README, taken apart: its code blocks, and the command lines that it names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = new URL('../..', import.meta.url).pathname;

/** A file name that stands for any backup in the documents. */
export const EXAMPLE_FILE = 'backups/LibraryDB_20260102_020000.sql.gz';

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

export function readDocument(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', text = '']) => ({ language, text }),
  );
}

/** The only block of a language; more or none is a mistake of the test's reader. */
export function onlyBlock(markdown: string, language: string): string {
  const blocks = codeBlocks(markdown).filter((block) => block.language === language);
  const [block] = blocks;
  if (block === undefined || blocks.length > 1) {
    throw new Error(`expected one block of ${language} but found ${blocks.length}`);
  }
  return block.text;
}

/** Every command line: lines of bash blocks, and code in running text, wherever `npx` is left out. */
export function commandLines(markdown: string): string[] {
  const inBlocks = codeBlocks(markdown)
    .filter(({ language }) => language === 'bash')
    .flatMap(({ text }) => text.split(/\n|&&/));
  const prose = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...inBlocks, ...inline].map((line) => line.trim()).filter((line) => line !== '');
}

export interface ReshelveCall {
  readonly verb: string;
  readonly flags: readonly string[];
}

/** `A=b npx reshelve restore FILE --into NAME` is a call of `restore` with `--into`. */
export function reshelveCalls(markdown: string): ReshelveCall[] {
  return commandLines(markdown).flatMap((line) => {
    const match = /^(?:[A-Z_]+=\S+ )*(?:npx )?reshelve ([a-z]+)\b(.*)$/.exec(line);
    if (match?.[1] === undefined) return [];
    return [{ verb: match[1], flags: [...(match[2] ?? '').matchAll(/--[a-z-]+/g)].map(String) }];
  });
}
