import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError } from './errors.js';
import type { CommandLine } from './run.js';

/** A tree of unpacked packages, run through its own dynamic loader. */
export interface UnpackedTree {
  readonly root: string;
  readonly loader: string;
  /** Colon-separated, for `--library-path`. */
  readonly libraryPath: string;
}

/** Finds the loader and the library folders (`usr/lib/x86_64-linux-gnu` and the like). */
export async function openUnpacked(root: string): Promise<UnpackedTree> {
  const folders: string[] = [];
  let loader: string | undefined;
  for (const parent of ['usr/lib', 'lib']) {
    const path = join(root, parent);
    if (!existsSync(path)) continue;
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (!entry.isDirectory() || !entry.name.includes('-linux-')) continue;
      const folder = join(path, entry.name);
      folders.push(folder);
      const found = (await readdir(folder)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
      if (found !== undefined) loader = join(folder, found);
    }
  }
  if (loader === undefined) {
    throw new SandboxError(`expected a dynamic loader (ld-linux) under ${root} but found none`);
  }
  return { root, loader, libraryPath: folders.join(':') };
}

/** How to run the program `name` of a tree. */
export function unpackedCommand(tree: UnpackedTree, name: string): CommandLine {
  const places = ['usr/bin', 'usr/sbin', 'bin', 'sbin'];
  const program = places
    .map((place) => join(tree.root, place, name))
    .find((path) => existsSync(path));
  if (program === undefined) {
    throw new SandboxError(`expected the program ${name} under ${tree.root} but found none`);
  }
  return {
    command: tree.loader,
    argsPrefix: ['--library-path', tree.libraryPath, program],
    env: { ...process.env },
  };
}
