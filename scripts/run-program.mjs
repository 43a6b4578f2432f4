// Runs a program in the foreground and hands signals on to it.
import { spawn } from 'node:child_process';

const HANDED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program with this process's input and output, and gives how it ended. A Ctrl-C does not
 * end this process: the program may have servers to stop first, and nobody should get the prompt
 * back before that is done. At a terminal the program gets the signal twice, from the terminal and
 * from here; a `kill` of this process reaches it only through here.
 */
export function runProgram(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    const handOn = (signal) => child.kill(signal);
    for (const signal of HANDED_ON) process.on(signal, handOn);
    const end = (ending) => {
      for (const signal of HANDED_ON) process.off(signal, handOn);
      resolve(ending);
    };
    child.once('error', (error) => {
      console.error(`could not start ${command}: ${error.message}`);
      end({ code: 1, signal: null });
    });
    child.once('close', (code, signal) => end({ code, signal }));
  });
}
