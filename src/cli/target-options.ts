/** The options that name the state to restore or to recover. */
import type { Command } from 'commander';
import type { TargetWish } from '../operations/load/restore-target.js';

export interface TargetFlags {
  readonly to?: string;
  readonly toGtid?: string;
  readonly beforeGtid?: string;
  readonly toPosition?: string;
  readonly skipGtid?: string[];
  readonly idempotent?: boolean;
}

export function addTargetOptions(command: Command): Command {
  return command
    .option('--to <time>', "the state of an instant, such as '2026-01-02 15:29:00'")
    .option('--to-gtid <gtid>', 'the state right after a transaction')
    .option('--before-gtid <gtid>', 'the state right before a transaction')
    .option('--to-position <file:position>', 'the state before a place in the binary log')
    .option('--skip-gtid <gtid>', 'leave this transaction out (repeatable)', collect, [])
    .option('--idempotent', 'go on where a change does not find its row (MySQL)');
}

export function targetOf(flags: TargetFlags): {
  readonly target: TargetWish;
  readonly idempotent: boolean;
} {
  const { to, toGtid, beforeGtid, toPosition, skipGtid } = flags;
  return {
    target: {
      ...(to === undefined ? {} : { to }),
      ...(toGtid === undefined ? {} : { toGtid }),
      ...(beforeGtid === undefined ? {} : { beforeGtid }),
      ...(toPosition === undefined ? {} : { toPosition }),
      skipGtids: (skipGtid ?? []).map((gtid) => gtid.trim().toLowerCase()),
    },
    idempotent: flags.idempotent === true,
  };
}

/** Whether any of the options was given. */
export function namesTarget(flags: TargetFlags): boolean {
  const { to, toGtid, beforeGtid, toPosition, skipGtid, idempotent } = flags;
  const named = [to, toGtid, beforeGtid, toPosition, idempotent].some((flag) => flag !== undefined);
  return named || (skipGtid ?? []).length > 0;
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}
