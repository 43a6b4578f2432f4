/** Header and closing of an incremental archive of logged changes, for any client. */
import type { HeaderFacts, SqlText } from './archive-text.js';

const HEADER: readonly string[] = [
  'SET NAMES utf8mb4',
  // Takes modes of older servers, as a replica does.
  '/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE = 1 */',
];

/** Behind the signature line. Changes bring the rest of their session state themselves. */
export function changesHeader(facts: HeaderFacts, previousId: string): SqlText {
  const lines = [
    `-- changes in database ${JSON.stringify(facts.database)} of ${facts.server} since backup ${previousId}`,
    `-- written by Reshelve ${facts.toolVersion} (${facts.startedAt}); load it after that backup with`,
    '--   gunzip -c FILE | mysql --binary-mode DBNAME',
    ...HEADER.map((statement) => `${statement};`),
  ];
  return sqlText(lines, HEADER.length);
}

/** Puts a client's session back in the state that servers usually start it with. */
export function changesClosing(): SqlText {
  const lines = [
    'SET NAMES utf8mb4;',
    ...[
      'timestamp',
      'foreign_key_checks',
      'unique_checks',
      'sql_auto_is_null',
      'sql_mode',
      'auto_increment_increment',
      'auto_increment_offset',
      'lc_time_names',
      'time_zone',
      'collation_server',
    ].map((name) => `SET @@SESSION.${name} = DEFAULT;`),
    '/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE = 0 */;',
  ];
  return sqlText(lines, lines.length);
}

function sqlText(lines: readonly string[], statements: number): SqlText {
  return {
    sql: Buffer.from(`${lines.join('\n')}\n`),
    statements,
    longestStatement: Math.max(...lines.map((line) => Buffer.byteLength(line) + 1)),
  };
}
