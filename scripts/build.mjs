// Builds dist/: the WebAssembly row kernel first, then everything written in TypeScript.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';

function run(command, args) {
  const result = spawnSync(command, args, { stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const kernelSource = 'src/sql/kernel/assembly/index.ts';
const kernelTarget = 'dist/src/sql/kernel/kernel.wasm';

rmSync('dist', { recursive: true, force: true });
mkdirSync('dist/src/sql/kernel', { recursive: true });
if (existsSync(kernelSource)) {
  run(process.execPath, [
    'node_modules/assemblyscript/bin/asc.js',
    kernelSource,
    ...['--outFile', kernelTarget, '-O3', '--runtime', 'stub', '--noAssert'],
    ...['--enable', 'simd', '--enable', 'bulk-memory'],
  ]);
}
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
