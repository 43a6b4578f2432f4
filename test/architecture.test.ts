/**
 * The shape of the code (DESIGN, section 8): arrows between folders point one way, the pure folders
 * do no I/O, nothing imports in a circle, and no file grows past what can be read in one go.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const LINES_MAX = 350;

/** Folders that stand above the others; a file may import from its own layer and from below. */
const LAYERS = [['cli', 'scheduler', 'server'], ['operations']] as const;
const LOWEST_LAYER = LAYERS.length;

const PURE_FOLDERS = ['src/sql/', 'src/archive/', 'src/catalog/', 'src/binlog/'];

/** Loaded once, before anything else; from then on it only computes. */
const KERNEL = 'src/sql/kernel/kernel.ts';

/** Files in pure folders that do I/O, each with the reason. */
const EDGES: Readonly<Record<string, string>> = {
  [KERNEL]: 'loads its WebAssembly from beside it',
  'src/archive/byte-source.ts': 'reads ranges of files',
  'src/archive/archive-file.ts': 'opens, renames and flushes the file of an archive',
  'src/archive/archive-writer.ts': 'writes members to the file',
  'src/archive/archive-reader.ts': 'reads members from the file',
  'src/archive/archive-check-file.ts': 'checks a file, several members at a time',
  'src/archive/compression.ts': 'deflates in the thread pool',
  'src/archive/huge-member.ts': 'reads and inflates a member window by window',
  'src/archive/member-scan.ts': 'inflates what comes out of a pipe',
  'src/archive/salvage-check.ts': 'inflates what is left of a damaged file',
  'src/archive/probe-file.ts': 'opens a file to see what it is',
  'src/catalog/store.ts': 'keeps backup_logs.json',
  'src/catalog/store-files.ts': 'replaces files atomically',
  'src/catalog/store-journal.ts': 'appends to journals of recoveries',
  'src/catalog/store-lease.ts': 'holds and waits for locks',
  'src/catalog/store-lease-file.ts': 'keeps the files of locks',
  'src/catalog/store-process.ts': 'looks at other processes',
  'src/catalog/directory-lock.ts': 'locks BACKUP_DIR',
};

/** Computations only. Of node:zlib that is crc32 and constants; inflating belongs to an edge. */
const PURE_MODULES: Readonly<Record<string, readonly string[] | 'all'>> = {
  valibot: 'all',
  fzstd: 'all',
  'node:crypto': ['createHash', 'hash', 'Hash'],
  'node:zlib': ['crc32', 'constants'],
  'node:path': ['basename', 'dirname', 'posix'],
};

/** What waits, reads the environment or differs from run to run. */
const IMPURE_GLOBALS = new Set([
  'process',
  'fetch',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
]);
const IMPURE_CALLS = /^(?:Date\.now|Math\.random|new Date)\(\)$/;

interface Import {
  /** As a path from the root for our own files, else the module's name. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly names: readonly string[];
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

const files = typeScriptFiles('src').map(readSource);
const byPath = new Map(files.map((file) => [file.path, file]));
const pureFiles = files.filter(({ path }) => isPure(path));

function typeScriptFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .filter((name) => !name.includes('kernel/assembly/'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: Import[] = [];
  visit(tree, (node) => {
    const found = importOf(node);
    if (found !== undefined) imports.push({ ...found, target: targetOf(path, found.target) });
  });
  return { path, text, tree, imports };
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => {
    visit(child, look);
  });
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    const { moduleSpecifier, importClause } = node;
    return { ...clauseOf(importClause), target: literalText(moduleSpecifier) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { target: literalText(node.moduleSpecifier), isTypeOnly: node.isTypeOnly, names: ['*'] };
  }
  if (ts.isCallExpression(node)) {
    const [argument] = node.arguments;
    const isLoad =
      node.expression.kind === ts.SyntaxKind.ImportKeyword ||
      node.expression.getText() === 'require';
    if (isLoad && argument !== undefined) {
      return { target: literalText(argument), isTypeOnly: false, names: ['*'] };
    }
  }
  return undefined;
}

function clauseOf(clause: ts.ImportClause | undefined): Pick<Import, 'isTypeOnly' | 'names'> {
  if (clause === undefined) return { isTypeOnly: false, names: ['*'] };
  const isWholeTypeOnly = clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const bindings = clause.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) {
    return { isTypeOnly: isWholeTypeOnly, names: ['*'] };
  }
  const names = bindings.elements.map((element) => (element.propertyName ?? element.name).text);
  const isEachTypeOnly = bindings.elements.every((element) => element.isTypeOnly);
  return {
    isTypeOnly: isWholeTypeOnly || (isEachTypeOnly && clause.name === undefined),
    names: clause.name === undefined ? names : ['*', ...names],
  };
}

/** A computed name cannot be checked, so it is shown as what it is and matches nothing allowed. */
function literalText(node: ts.Expression): string {
  return ts.isStringLiteralLike(node) ? node.text : `(computed) ${node.getText()}`;
}

function targetOf(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function isPure(path: string): boolean {
  return PURE_FOLDERS.some((folder) => path.startsWith(folder)) && !(path in EDGES);
}

function layerOf(path: string): number {
  const [, folder = ''] = path.split('/');
  const index = LAYERS.findIndex((folders) => (folders as readonly string[]).includes(folder));
  return index < 0 ? LOWEST_LAYER : index;
}

function showImport(file: SourceFile, { target }: Import): string {
  return `${file.path} imports ${target}`;
}

describe('arrows', () => {
  test('the test sees files and their imports', () => {
    expect(files.length).toBeGreaterThan(50);
    const store = byPath.get('src/catalog/store.ts');
    expect(store?.imports.map(({ target }) => target)).toContain('src/catalog/records.ts');
    const isTypeOnly = store?.imports.find(({ names }) =>
      names.includes('CatalogEntry'),
    )?.isTypeOnly;
    expect(isTypeOnly).toBe(true);
  });

  test('every import of ours leads to a file of ours', () => {
    const lost = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target.startsWith('src/') || target.startsWith('('))
        .filter(({ target }) => !byPath.has(target) && !target.endsWith('.d.ts'))
        .map((one) => showImport(file, one)),
    );
    expect(lost).toEqual([]);
  });

  test('cli, scheduler and server lead to operations, operations to everything else', () => {
    const upward = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => target.startsWith('src/') && layerOf(target) < layerOf(file.path))
        .map((one) => showImport(file, one)),
    );
    expect(upward).toEqual([]);
  });

  test('nothing outside src/cli imports it', () => {
    const found = files
      .filter(({ path }) => !path.startsWith('src/cli/'))
      .flatMap((file) => file.imports.map((one) => [file, one] as const))
      .filter(([, { target }]) => target.startsWith('src/cli/'));
    expect(found.map(([file, one]) => showImport(file, one))).toEqual([]);
  });

  test('src/errors.ts imports nothing', () => {
    expect(byPath.get('src/errors.ts')?.imports).toEqual([]);
  });

  test('nothing in src imports tests, sandbox or bench', () => {
    const found = files.flatMap((file) =>
      file.imports
        .filter(({ target }) => /^(?:\.\.|test|sandbox|bench|demo|scripts)\//.test(target))
        .map((one) => showImport(file, one)),
    );
    expect(found).toEqual([]);
  });

  test('no imports in a circle', () => {
    expect(circles()).toEqual([]);
  });
});

/** Each circle once, as the path along it. Type-only imports count: they couple files as well. */
function circles(): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    if (finished.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) walk(target, [...trail, path]);
    finished.add(path);
  };
  for (const { path } of files) walk(path, []);
  return found;
}

describe('pure folders', () => {
  test('every edge that is listed does what its folder may not', () => {
    const needless = Object.keys(EDGES).filter((path) => {
      const file = byPath.get(path);
      return file?.imports.every(isPureImport) === true && impureUses(file.tree).length === 0;
    });
    expect(needless).toEqual([]);
    expect(Object.keys(EDGES).filter((path) => !byPath.has(path))).toEqual([]);
  });

  test('import computations and other pure files only', () => {
    const forbidden = pureFiles.flatMap((file) =>
      file.imports.filter((one) => !isPureImport(one)).map((one) => showImport(file, one)),
    );
    expect(forbidden).toEqual([]);
  });

  test('neither wait nor read the clock, the environment or chance', () => {
    const found = pureFiles.flatMap(({ path, tree }) =>
      impureUses(tree).map((use) => `${path}: ${use}`),
    );
    expect(found).toEqual([]);
  });
});

/** Types of edges are fine: they vanish. */
function isPureImport({ target, isTypeOnly, names }: Import): boolean {
  if (isTypeOnly) return !target.startsWith('src/') || layerOf(target) === LOWEST_LAYER;
  if (target === 'src/errors.ts' || target === KERNEL || isPure(target)) return true;
  const allowed = PURE_MODULES[target];
  if (allowed === undefined) return false;
  return allowed === 'all' || names.every((name) => allowed.includes(name));
}

function impureUses(tree: ts.SourceFile): string[] {
  const uses: string[] = [];
  visit(tree, (node) => {
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
    if (isCall && IMPURE_CALLS.test(node.getText())) uses.push(node.getText());
    if (!ts.isIdentifier(node) || !IMPURE_GLOBALS.has(node.text)) return;
    const { parent } = node;
    const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
    const isField = ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent);
    if (!isMember && !isField) uses.push(node.text);
  });
  return uses;
}

describe('size and leftovers', () => {
  test(`no file is longer than ${LINES_MAX} lines`, () => {
    const long = files
      .map(({ path, text }) => [path, text.split('\n').length - 1] as const)
      .filter(([, lines]) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  test('nothing is left to be done later', () => {
    const mark = new RegExp(`\\b(?:${['TO', 'FIX', 'X'].join('|')})(?:DO|ME|XX)\\b`);
    const marked = [...typeScriptFiles('src'), ...typeScriptFiles('test')].filter((path) =>
      mark.test(readFileSync(join(ROOT, path), 'utf8')),
    );
    expect(marked).toEqual([]);
  });
});
