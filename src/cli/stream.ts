/** `reshelve stream`: stays and captures every change; the first signal ends it in good order. */
import type { Command } from 'commander';
import { openCatalog } from '../catalog/store.js';
import { loadConfiguration } from '../config/load.js';
import { EXIT, ReshelveError } from '../errors.js';
import { warnOfUnfinishedRecoveries } from '../operations/recovery/unfinished-recovery.js';
import type { StreamEvent } from '../operations/stream.js';
import { runStream } from '../operations/stream.js';
import { ScheduleOutput } from './schedule-output.js';
import { onStopWishes } from './signals.js';
import { formatBytes, formatDuration } from './terminal-output.js';
import type { GlobalOptions } from './with-context.js';

export function streamCommand(program: Command): void {
  program
    .command('stream')
    .description('stay and capture every change from the binary log, a file each minute')
    .action(async (_options: unknown, command: Command) => {
      const { json, quiet } = command.optsWithGlobals<GlobalOptions>();
      const configuration = loadConfiguration({ cwd: process.cwd(), environment: process.env });
      const now = (): Date => new Date();
      const output = new ScheduleOutput(
        { quiet: quiet === true, stream: json === true ? process.stderr : process.stdout },
        configuration.backup.timeZone,
        now,
      );
      for (const message of configuration.warnings) output.warn({ code: 'CONFIG', message });
      await warnOfUnfinishedRecoveries({ configuration, output });
      const stop = new AbortController();
      const abort = new AbortController();
      const stopListening = onStopWishes((from, count) => {
        const reason = new ReshelveError('INTERRUPTED', `the capture was stopped by ${from}`);
        if (count === 1) stop.abort(reason);
        else if (count === 2) abort.abort(reason);
        else process.exit(EXIT.interrupted);
      });
      try {
        const catalog = openCatalog(configuration.backup.directory);
        const { signal } = abort;
        const result = await runStream(
          { configuration, catalog, output, signal, now, trigger: 'manual' },
          {
            stop: stop.signal,
            report: (event) => {
              tellStream(output, event);
            },
          },
        );
        output.line('Capture stopped');
        if (json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
      } catch (error) {
        throw abort.signal.aborted ? abort.signal.reason : error;
      } finally {
        stopListening();
      }
    });
}

export function tellStream(output: ScheduleOutput, event: StreamEvent): void {
  switch (event.kind) {
    case 'following':
      output.line(`Capturing every change since ${event.file}`);
      break;
    case 'saved':
      output.line(
        `✓ Segment saved: ${event.file} (${formatBytes(event.sizeBytes)}): ${event.note}`,
      );
      break;
    case 'held-up':
      output.line(`The next segment waits: ${event.by}`);
      break;
    case 'interrupted': {
      const { code, message } = event.error;
      const again = `${message}; trying again in ${formatDuration(event.retryMs)}`;
      output.warn({ code, message: again });
      break;
    }
  }
}
