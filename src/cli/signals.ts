/** Wishes that the process end: signals, and the death of the shell between npm and us. */

/**
 * A terminal sends Ctrl-C to npm and to its child, PM2 sends its signal to both too, and npm passes
 * its own on: one wish to stop comes as two signals, a moment apart.
 */
const ONE_WISH_MS = 1000;
const PARENT_POLL_MS = 300;

/**
 * Calls `onWish` for each wish to stop, with what it came from and its number from 1 on. Gives a
 * function that ends the listening.
 */
export function onStopWishes(onWish: (from: string, count: number) => void): () => void {
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const onSignal = (signal: string): void => {
    const nowMs = performance.now();
    if (nowMs - lastMs < ONE_WISH_MS) return;
    lastMs = nowMs;
    count += 1;
    onWish(signal, count);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const stopWatching = onOrphaned(() => {
    if (count === 0) onSignal('the end of npm');
  });
  return () => {
    stopWatching();
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/**
 * npm starts scripts through `sh -c` and passes signals to that shell alone. Where the shell stays in
 * between (dash does), SIGTERM ends it and npm, and we would go on unseen for ever.
 */
function onOrphaned(act: () => void): () => void {
  if (process.env['npm_lifecycle_event'] === undefined) return () => undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, PARENT_POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
