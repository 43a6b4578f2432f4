/** Error 1213: the statement was chosen as the victim of a deadlock, did nothing and may be run again. */
const DEADLOCK_ERROR = 1213;
const ATTEMPTS_MAX = 5;

function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('errno' in error && error.errno === DEADLOCK_ERROR) || isDeadlock(error.cause);
}

/** Runs a statement of a test again where the server says so, as any client has to. */
export async function runPatiently(run: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run();
      return;
    } catch (error) {
      if (!isDeadlock(error) || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
}
