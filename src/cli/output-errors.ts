/** What becomes of a run whose output nobody reads any more (`| head`, a closed terminal). */
import { EXIT } from '../errors.js';

/** The reader has gone, which says nothing about the work. */
const READER_IS_GONE = new Set(['EPIPE', 'EIO', 'ECONNRESET']);

/**
 * Without a listener Node.js ends the process at the first line that cannot be written, also in the
 * middle of a recovery. The work goes on instead; where its result was asked for on stdout and could
 * not be written (a full disk), the exit code must not be 0.
 */
export function surviveOutputErrors(): void {
  let isLost = false;
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    isLost ||= !READER_IS_GONE.has(error.code ?? '');
  });
  process.on('exit', (code) => {
    if (isLost && code === EXIT.done) process.exitCode = EXIT.failed;
  });
}
