#!/usr/bin/env node
/** The command line: one file per verb, registered here. */
import { Command, CommanderError } from 'commander';
import { EXIT } from '../errors.js';
import { TOOL_VERSION } from '../version.js';
import { catalogCommand } from './catalog.js';
import { doctorCommand } from './doctor.js';
import { drillCommand } from './drill.js';
import { eventsCommand } from './events.js';
import { fullCommand } from './full.js';
import { incrementalCommand } from './incremental.js';
import { inspectCommand } from './inspect.js';
import { listCommand } from './list.js';
import { surviveOutputErrors } from './output-errors.js';
import { recoverCommand } from './recover.js';
import { reportFailure } from './report.js';
import { restoreCommand } from './restore.js';
import { scheduleCommand } from './schedule.js';
import { statusCommand } from './status.js';
import { streamCommand } from './stream.js';
import { undoCommand } from './undo.js';
import { verifyCommand } from './verify.js';

const program = new Command('reshelve')
  .description('Backs up and recovers MySQL databases.')
  .version(TOOL_VERSION)
  .option('--json', 'print one JSON document on stdout, messages on stderr')
  .option('--quiet', 'print nothing but warnings and errors')
  .showSuggestionAfterError()
  .exitOverride();

fullCommand(program);
incrementalCommand(program);
verifyCommand(program);
restoreCommand(program);
recoverCommand(program);
scheduleCommand(program);
streamCommand(program);
listCommand(program);
inspectCommand(program);
catalogCommand(program);
doctorCommand(program);
drillCommand(program);
statusCommand(program);
eventsCommand(program);
undoCommand(program);

surviveOutputErrors();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    process.exitCode = reportFailure(error, program.opts<{ json?: boolean }>().json === true);
  }
}
