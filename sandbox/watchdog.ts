import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Reads process ids, one a line, until the pipe closes, which happens when this process ends
 * in whatever way, `kill -9` included. Then it kills the last one and removes the folder. Only a
 * process whose command line names the folder is killed: ids are used again.
 */
const SCRIPT = `
pid=
while read -r line; do pid=$line; done
command_line() {
  if [ -r "/proc/$1/cmdline" ]; then tr '\\000' ' ' <"/proc/$1/cmdline"
  else ps -ww -o args= -p "$1" 2>/dev/null; fi
}
case "$pid" in ''|*[!0-9]*) ;; *)
  case "$(command_line "$pid")" in *"$1"*)
    kill "-$2" "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL "$pid" 2>/dev/null
  ;; esac
;; esac
rm -rf -- "$1"
`;

export interface Watchdog {
  /** Names the process to end when this one is gone. */
  watch(pid: number): void;
  /** The process is gone and the folder removed: nothing is left to watch. */
  release(): void;
}

/**
 * Starts a process that outlives this one and then ends the server and removes `folder`.
 *
 * @param folder absolute; the server's command line must name it
 * @param signal TERM where the data is the caller's and must be left in order
 */
export function startWatchdog(folder: string, signal: 'TERM' | 'KILL'): Watchdog {
  const args = ['-c', SCRIPT, 'watchdog', folder, signal];
  const child = spawn('/bin/sh', args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own process group, so that a Ctrl-C at the terminal does not end it too.
    detached: true,
    cwd: '/',
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  // A pipe is a socket to Node.js; unreferenced, it does not keep this process alive.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return {
    watch: (pid) => {
      child.stdin.write(`${pid}\n`);
    },
    release: () => {
      child.stdin.end();
    },
  };
}
