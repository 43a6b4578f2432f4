/** The command line of the bench. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly gigabytes: number;
  readonly rounds: number;
  /** Also mydumper, myloader and pigz, where they can be had. */
  readonly peers: boolean;
  readonly parts: readonly ('backup' | 'restore')[];
  /** Keeps the generated server here and uses it again; a temporary one where it is left out. */
  readonly dataDirectory: string | undefined;
  readonly output: string;
}

export const USAGE = `npm run bench -- [options]
  --size 1GB             size of the generated database (GB or MB of rows, without indexes)
  --rounds 5             how often each command runs; they take turns
  --only backup|restore  one half of it (restore still makes the backups that it reads)
  --no-peers             without mydumper, myloader and pigz
  --data-directory DIR   keep the generated data there and use it again
  --output FILE          where the result goes (bench/results/latest.json)
npm run bench -- memory    resident memory of full, verify and restore instead
npm run bench -- transaction  resident memory with a transaction of 1 GB in the binary log instead
npm run bench -- binlog    incrementals by the binary log beside mysqlbinlog instead
npm run bench -- online    how long an online recovery holds up readers and writers instead`;

/** @throws Error with what is wrong, in words for the user. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      size: { type: 'string', default: '1GB' },
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      'data-directory': { type: 'string' },
      output: { type: 'string', default: 'bench/results/latest.json' },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new Error(`--rounds: expected 1 to 100 but found ${values.rounds}`);
  }
  return {
    gigabytes: parseGigabytes(values.size),
    rounds,
    peers: !values['no-peers'],
    parts: parseParts(values.only),
    dataDirectory: values['data-directory'],
    output: values.output,
  };
}

function parseGigabytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(GB|MB)$/i.exec(text.trim());
  const size = Number(match?.[1]) / (match?.[2]?.toUpperCase() === 'MB' ? 1000 : 1);
  if (!(size > 0 && size <= 100)) {
    throw new Error(`--size: expected a size such as 1GB or 200MB but found ${text}`);
  }
  return size;
}

function parseParts(only: string | undefined): BenchOptions['parts'] {
  if (only === undefined) return ['backup', 'restore'];
  if (only === 'backup' || only === 'restore') return [only];
  throw new Error(`--only: expected backup or restore but found ${only}`);
}
