/** Ctrl-C for programs that have a server to stop first. */

/**
 * A signal that is aborted by the first SIGINT, SIGTERM or SIGHUP. Later ones change nothing: a
 * Ctrl-C under npm arrives twice, from the terminal and from npm, and the server that is to be
 * stopped ends with this process in any case.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      controller.abort(new Error(`stopped by ${signal}`));
    });
  }
  return controller.signal;
}

/** The outcome of `work`, or a rejection as soon as the signal is aborted; `work` is left to itself. */
export function whileNotAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
