import { versionedByTransaction } from './mariadb/versioned.js';
import { jsonOpaque } from './mysql/json.js';
import { inSession, theme, type CorpusTheme } from './step.js';

/**
 * What neither SHOW CREATE nor a value's text tells, so that no dump of them can bring it back:
 * apart from the corpus, for seeing that a tool notices, or reads it by another way.
 */

/**
 * The server shows each character beyond the basic plane as `?` in the members of ENUM and SET, in
 * SHOW CREATE and in information_schema alike; two such members even become the same one.
 */
const fourByteMembers = theme('four-byte-members', [
  "CREATE TABLE four_byte_members (id INT PRIMARY KEY, e ENUM('😀', 'x😀y', 'plain'), s SET('😀', 'q'), w ENUM('a', '😀') CHARACTER SET utf16)",
  "INSERT INTO four_byte_members VALUES (1, '😀', '😀,q', '😀'), (2, 'x😀y', '', 'a'), (3, 'plain', NULL, NULL)",
  "CREATE TABLE four_byte_members_unused (id INT PRIMARY KEY, e ENUM('plain', '😀'))",
  "INSERT INTO four_byte_members_unused VALUES (1, 'plain')",
]);

/** MySQL lets two such members stand side by side; MariaDB calls them duplicates. */
const fourByteMembersAlike = theme('four-byte-members-alike', [
  "CREATE TABLE four_byte_members_alike (id INT PRIMARY KEY, e ENUM('😀', '🎉', '?'))",
  'INSERT INTO four_byte_members_alike VALUES (1, 1), (2, 2), (3, 3)',
]);

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
  fourByteMembers,
  fourByteMembersAlike,
  generatedByMode,
  nationalLiteral,
];

export const mariadbBeyondText: readonly CorpusTheme[] = [versionedByTransaction, fourByteMembers];
