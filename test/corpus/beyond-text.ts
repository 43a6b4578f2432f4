import { versionedByTransaction } from './mariadb/versioned.js';
import { jsonOpaque } from './mysql/json.js';
import { inSession, theme, type CorpusTheme } from './step.js';

/**
 * What neither SHOW CREATE nor a value's text tells, so that no dump of them can bring it back:
 * apart from the corpus, for seeing that a tool notices, or reads it by another way.
 */

/** A stored generated value is the one that the writing session's sql_mode gave. */
const generatedByMode = theme('generated-by-mode', [
  ...inSession({ sqlMode: '' }, [
    "CREATE TABLE generated_by_mode (a INT, d DATE GENERATED ALWAYS AS (CONCAT('2024-02-', a)) STORED)",
    'INSERT INTO generated_by_mode (a) VALUES (30)',
  ]),
  'INSERT INTO generated_by_mode (a) VALUES (30)',
  // And the one that its time zone gave: the same row twice, with two stored hours.
  ...inSession({ timeZone: '+05:30' }, [
    'CREATE TABLE generated_by_zone (ts TIMESTAMP, h INT GENERATED ALWAYS AS (HOUR(ts)) STORED)',
    "INSERT INTO generated_by_zone (ts) VALUES ('2024-01-01 12:00:00')",
  ]),
  "INSERT INTO generated_by_zone (ts) VALUES ('2024-01-01 06:30:00')",
]);

/** A view's column is utf8mb3 by the `N` of its literal, which the server's text of it leaves out. */
const nationalLiteral = theme('national-literal', [
  "CREATE VIEW view_national AS SELECT N'ü' AS h",
]);

export const mysqlBeyondText: readonly CorpusTheme[] = [
  jsonOpaque,
  generatedByMode,
  nationalLiteral,
];

export const mariadbBeyondText: readonly CorpusTheme[] = [versionedByTransaction];
