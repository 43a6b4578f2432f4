import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Folders that only compute; test/architecture.test.ts names the files in them that may do more. */
const PURE_FOLDERS = ['src/sql/**', 'src/archive/**', 'src/catalog/**', 'src/binlog/**'];

const UPWARD =
  'Arrows lead from cli, scheduler and server to operations, and from there to everything else.';

const aboveOperations = { regex: '/(cli|scheduler|server)/', message: UPWARD };
const operations = { regex: '/operations/', message: UPWARD };
const machinery = {
  regex:
    '^(mysql2|commander|node-cron|picocolors|node:(net|tls|http|https|child_process|worker_threads|readline|cluster|dgram)(/.*)?)$',
  message: 'The pure folders neither talk to servers and programs nor to the user.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/sql/kernel/assembly/', '.cache/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
      'max-len': [
        'error',
        {
          code: 110,
          ignoreUrls: true,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
        },
      ],
    },
  },
  {
    files: ['src/operations/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [aboveOperations] }] },
  },
  {
    files: ['src/*/**'],
    ignores: ['src/cli/**', 'src/scheduler/**', 'src/server/**', 'src/operations/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [aboveOperations, operations] }] },
  },
  {
    files: PURE_FOLDERS,
    rules: {
      'no-restricted-imports': ['error', { patterns: [aboveOperations, operations, machinery] }],
    },
  },
  {
    files: ['src/scheduler/**', 'src/server/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '/cli/', message: 'Nothing imports the command line.' }] },
      ],
    },
  },
  {
    files: ['src/errors.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '.', message: 'The table of errors stands alone.' }] },
      ],
    },
  },
  {
    files: ['demo/**', 'bench/**', 'sandbox/**', 'scripts/**', 'src/cli/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
