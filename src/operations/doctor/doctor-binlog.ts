/** Judges the server's binary log: what incremental backups and point in time need. */
import {
  countPreparedXa,
  expirySecondsOf,
  expiryWords,
  listHiddenCascades,
  LOG_EXPIRY_SECONDS_MIN,
} from '../../mysql/binlog-state.js';
import type { Session } from '../../mysql/session.js';
import type { Finding } from './doctor-finding.js';
import { findingsOf } from './doctor-finding.js';
import type { ServerState } from './doctor-server-state.js';

const DAY_SECONDS = 24 * 3600;

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

/** What the log does not say, and what no full backup sees. */
export async function judgeHiddenChanges(
  session: Session,
  database: string,
  { variables }: ServerState,
): Promise<Finding[]> {
  const say = findingsOf('binary log');
  const findings: Finding[] = [];
  // Without a log incrementals compare, and miss nothing.
  const isLogged = variables.get('log_bin') === 'ON';
  const tables = isLogged ? await listHiddenCascades(session, database) : [];
  if (tables.length > 0) {
    findings.push(
      say.warning(
        `foreign keys into other databases change ${tables.join(', ')} without a word in it, so that incrementals miss that`,
        'Let the application change these rows itself, or make full backups alone.',
      ),
    );
  }
  const prepared = (await countPreparedXa(session)) ?? 0;
  if (prepared > 0) {
    findings.push(
      say.warning(
        `${prepared} XA transactions are prepared and not decided: they hold locks, and no full backup sees them`,
        'XA RECOVER; names them: XA COMMIT or XA ROLLBACK each.',
      ),
    );
  }
  return findings;
}

function judgeExpiry(variables: ReadonlyMap<string, string>): Finding {
  const say = findingsOf('binary log');
  const seconds = expirySecondsOf(variables);
  if (seconds === 0) return say.ok('its files are never deleted by age');
  const age = expiryWords(seconds);
  if (seconds >= LOG_EXPIRY_SECONDS_MIN) return say.ok(`its files are kept for ${age}`);
  const name = variables.has('binlog_expire_logs_seconds')
    ? `binlog_expire_logs_seconds = ${7 * DAY_SECONDS}`
    : 'expire_logs_days = 7';
  return say.warning(
    `its files are deleted after ${age}: incremental backups must be more frequent`,
    `SET GLOBAL ${name};`,
  );
}
