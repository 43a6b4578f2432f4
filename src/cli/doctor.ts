/** `reshelve doctor`: is everything well that backups stand on, and what to do where it is not. */
import type { Command } from 'commander';
import pc from 'picocolors';
import type { ExitCode } from '../errors.js';
import { EXIT } from '../errors.js';
import type { Finding, FindingStatus } from '../operations/doctor/doctor-finding.js';
import { FINDING_GROUPS } from '../operations/doctor/doctor-finding.js';
import { runDoctor } from '../operations/doctor.js';
import { withContext } from './with-context.js';

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check connection, privileges, binary log, disk and schedule; change nothing')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const findings = await runDoctor(context);
        for (const line of formatFindings(findings)) context.output.line(line);
        const exitCode = exitCodeOf(findings);
        return { exitCode, document: { exitCode, findings } };
      });
    });
}

const MARKS: Readonly<Record<FindingStatus, string>> = {
  ok: pc.green('✓'),
  warning: pc.yellow('!'),
  failed: pc.red('✗'),
};

function formatFindings(findings: readonly Finding[]): string[] {
  return FINDING_GROUPS.flatMap((group) => {
    const own = findings.filter((finding) => finding.group === group);
    if (own.length === 0) return [];
    return [
      pc.bold(group),
      ...own.flatMap(({ status, text, next }) => [
        `  ${MARKS[status]} ${text}`,
        ...(next === undefined ? [] : [`      ${next}`]),
      ]),
    ];
  });
}

function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ status }) => status === 'failed')) return EXIT.failed;
  return findings.some(({ status }) => status === 'warning') ? EXIT.warnings : EXIT.done;
}
