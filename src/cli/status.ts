/** `reshelve status`: one screen of how the backups stand. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { EXIT } from '../errors.js';
import type { Context } from '../operations/context.js';
import type { StatusFinding } from '../operations/status/status-finding.js';
import type { Status } from '../operations/status.js';
import { readStatus } from '../operations/status.js';
import { formatLocalTime } from './local-time.js';
import { visible } from './table.js';
import { withContext } from './with-context.js';

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('one screen: newest backup and proof, failures, next run, disk; change nothing')
    .action(async (_options: unknown, command: Command) => {
      await withContext(command, async (context) => {
        const status = await readStatus(context);
        for (const line of formatStatus(context, status)) context.output.line(line);
        const isWell = status.findings.every((finding) => finding.status === 'ok');
        return {
          exitCode: isWell ? EXIT.done : EXIT.warnings,
          document: { status: isWell ? 'success' : 'warning', ...status },
        };
      });
    });
}

function formatStatus(context: Context, { database, now, findings }: Status): string[] {
  const { timeZone, directoryShown } = context.configuration.backup;
  const width = Math.max(...findings.map(({ topic }) => topic.length));
  const time = formatLocalTime(new Date(now), timeZone);
  return [
    pc.bold(`${visible(database)}, backups in ${directoryShown}, ${time}`),
    '',
    ...findings.flatMap((finding) => formatFinding(finding, width)),
    '',
    ...formatVerdict(findings.filter(({ status }) => status === 'attention')),
  ];
}

function formatFinding({ topic, status, text, next }: StatusFinding, width: number): string[] {
  const mark = status === 'ok' ? pc.green('✓') : pc.yellow('!');
  return [
    `${mark} ${topic.padEnd(width)}  ${visible(text)}`,
    ...(next === undefined ? [] : [`${' '.repeat(width + 4)}${next}`]),
  ];
}

/** What to do first is said once, in a line of its own. */
function formatVerdict(problems: readonly StatusFinding[]): string[] {
  const [first] = problems;
  if (first === undefined) return ['All is well.'];
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  return [
    `Needs attention${more}: ${first.topic}: ${visible(first.text)}`,
    `next: ${first.next ?? ''}`,
  ];
}
