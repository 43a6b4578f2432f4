/** Nothing is overwritten unless somebody typed the database's name, or said --yes beforehand. */
import { createInterface } from 'node:readline/promises';
import { ReshelveError } from '../errors.js';
import type { Context } from '../operations/context.js';

export async function confirmOverwrite(
  database: string,
  loss: string,
  yes: boolean,
  context: Pick<Context, 'output' | 'signal'>,
): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new ReshelveError('CONFIRMATION', `would overwrite ${loss}, and nobody confirmed it`, {
      hint: 'Pass --yes to overwrite without being asked, or --dry-run to see what would be done.',
    });
  }
  context.output.progress(null);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `This overwrites ${loss}.\nType the name of the database to go on: `,
      { signal: context.signal },
    );
    if (answer !== database) {
      throw new ReshelveError('CONFIRMATION', `expected the name ${database}; nothing was changed`);
    }
  } finally {
    prompt.close();
  }
}
