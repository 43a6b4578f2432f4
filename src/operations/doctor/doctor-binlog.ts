/** Judges the server's binary log: what incremental backups and point in time need. */
import type { Finding } from './doctor-finding.js';
import { findingsOf } from './doctor-finding.js';
import type { ServerState } from './doctor-server-state.js';

const DAY_SECONDS = 24 * 3600;
/** A weekend in which nobody looks. */
const EXPIRE_SECONDS_MIN = 3 * DAY_SECONDS;

export function judgeBinaryLog({ variables, facts }: ServerState): Finding[] {
  const say = findingsOf('binary log');
  if (variables.get('log_bin') !== 'ON') {
    return [
      say.warning(
        'off: no incremental backups by binary log and no recovery to a point in time',
        'log_bin in the server’s configuration (log-bin=mysql-bin), then restart it',
      ),
    ];
  }
  const findings = [say.ok('on')];
  const expect = (name: string, wanted: string): void => {
    const value = variables.get(name);
    if (value === undefined) return;
    if (value === wanted) findings.push(say.ok(`${name} ${value}`));
    else findings.push(say.warning(`${name} is ${value}`, `SET GLOBAL ${name} = '${wanted}';`));
  };
  expect('binlog_format', 'ROW');
  expect('binlog_row_image', 'FULL');
  if (facts.flavour === 'mysql') {
    findings.push(say.ok(`gtid_mode ${variables.get('gtid_mode') ?? 'unknown'}`));
  }
  return [...findings, judgeExpiry(variables)];
}

function judgeExpiry(variables: ReadonlyMap<string, string>): Finding {
  const say = findingsOf('binary log');
  const seconds =
    Number(variables.get('binlog_expire_logs_seconds') ?? 0) ||
    Number(variables.get('expire_logs_days') ?? 0) * DAY_SECONDS;
  if (seconds === 0) return say.ok('its files are never deleted by age');
  const days = (seconds / DAY_SECONDS).toFixed(1);
  if (seconds >= EXPIRE_SECONDS_MIN) return say.ok(`its files are kept for ${days} days`);
  const name = variables.has('binlog_expire_logs_seconds')
    ? `binlog_expire_logs_seconds = ${7 * DAY_SECONDS}`
    : 'expire_logs_days = 7';
  return say.warning(
    `its files are deleted after ${days} days: incremental backups must be more frequent`,
    `SET GLOBAL ${name};`,
  );
}
