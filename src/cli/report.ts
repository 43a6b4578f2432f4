/** How a failure looks: one line that says what, one that says what to do next. */
import pc from 'picocolors';
import type { ExitCode } from '../errors.js';
import { ERROR_TABLE, ReshelveError } from '../errors.js';

/** Prints the failure and returns the exit code that belongs to it. */
export function reportFailure(error: unknown, json: boolean): ExitCode {
  const known = error instanceof ReshelveError ? error : internal(error);
  process.stderr.write(`${pc.red('error')} ${known.code}: ${known.message}\n`);
  process.stderr.write(`${pc.bold('next:')} ${known.hint}\n`);
  if (known.code === 'INTERNAL' && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`);
  }
  if (json) {
    const { code, message, hint, exitCode } = known;
    process.stdout.write(
      `${JSON.stringify({ status: 'failed', error: { code, message, hint }, exitCode })}\n`,
    );
  }
  return known.exitCode;
}

function internal(error: unknown): ReshelveError {
  const message = error instanceof Error ? error.message : String(error);
  return new ReshelveError('INTERNAL', `${ERROR_TABLE.INTERNAL.meaning} ${message}`, {
    cause: error,
  });
}
