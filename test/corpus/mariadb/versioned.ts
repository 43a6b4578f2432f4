import { inSession, theme } from '../step.js';

function at(timestamp: string, statements: readonly string[]): ReturnType<typeof inSession> {
  return inSession({ variables: { timestamp } }, statements);
}

/** Tables that keep their history: rows of the past, and whose moment, must come back too. */
export const versioned = theme('versioned', [
  ...at('1700000000.123456', [
    'CREATE TABLE versioned_implicit (id INT PRIMARY KEY, v VARCHAR(20)) WITH SYSTEM VERSIONING',
    "INSERT INTO versioned_implicit VALUES (1, 'first'), (2, 'stays'), (3, 'dies')",
  ]),
  ...at('1700000100.5', ["UPDATE versioned_implicit SET v = 'second' WHERE id = 1"]),
  ...at('1700000200', [
    "UPDATE versioned_implicit SET v = 'it''s third' WHERE id = 1",
    'DELETE FROM versioned_implicit WHERE id = 3',
  ]),
  ...at('1700000000', [
    `CREATE TABLE versioned_explicit (id INT PRIMARY KEY, v INT, began TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
      ended TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (began, ended)) WITH SYSTEM VERSIONING`,
    'INSERT INTO versioned_explicit (id, v) VALUES (1, 1), (2, 2)',
  ]),
  ...at('1700000300', [
    'UPDATE versioned_explicit SET v = v + 10',
    'DELETE FROM versioned_explicit WHERE id = 2',
  ]),
  ...at('1700000000', [
    'CREATE TABLE versioned_columns (id INT PRIMARY KEY, kept INT, free INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING',
    'INSERT INTO versioned_columns VALUES (1, 1, 1)',
  ]),
  ...at('1700000050', [
    'UPDATE versioned_columns SET free = 2',
    'UPDATE versioned_columns SET kept = 2',
  ]),
  ...at('1700000000', [
    `CREATE TABLE versioned_partitioned (id INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION pn CURRENT)`,
    'INSERT INTO versioned_partitioned VALUES (1), (2), (2)',
  ]),
  ...at('1700000010', ['DELETE FROM versioned_partitioned WHERE id = 1']),
  // Application time: no two rows of an id may overlap, which an order of inserts cannot break.
  `CREATE TABLE periods (id INT, b DATE, e DATE, PERIOD FOR valid (b, e), UNIQUE KEY (id, valid WITHOUT OVERLAPS))`,
  "INSERT INTO periods VALUES (1, '2000-01-01', '2010-01-01'), (1, '2010-01-01', '2020-01-01'), (2, '2005-05-05', '9999-12-31')",
  `CREATE TABLE bitemporal (id INT, b DATETIME(6), e DATETIME(6), PERIOD FOR \`odd;\`\`period\` (b, e)) WITH SYSTEM VERSIONING`,
  "INSERT INTO bitemporal VALUES (1, '2000-01-01', '2010-01-01 00:00:00.000001')",
]);

/**
 * History by transaction id, which no SQL can write: the ids are the server's own. Not part of the
 * corpus; for seeing that a tool says so rather than lose it silently.
 */
export const versionedByTransaction = theme('versioned-by-transaction', [
  `CREATE TABLE versioned_by_transaction (id INT PRIMARY KEY, v INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END,
    PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING`,
  'INSERT INTO versioned_by_transaction (id, v) VALUES (1, 1)',
  'UPDATE versioned_by_transaction SET v = 2',
]);

/** Sequences with their options, at values in use, used up, and called by a column's default. */
export const sequences = theme('sequences', [
  'CREATE SEQUENCE sequence_fresh',
  'CREATE SEQUENCE sequence_used START WITH 10 INCREMENT BY 5 MINVALUE -100 MAXVALUE 1000000 CACHE 7',
  'SELECT NEXT VALUE FOR sequence_used',
  'SELECT NEXTVAL(sequence_used)',
  'CREATE SEQUENCE sequence_down START WITH -1 INCREMENT BY -3 MINVALUE -9223372036854775807 MAXVALUE 0 NOCACHE CYCLE',
  'SELECT NEXT VALUE FOR sequence_down',
  'CREATE SEQUENCE sequence_ended START WITH 1 MAXVALUE 2 CYCLE NOCACHE',
  'SELECT NEXTVAL(sequence_ended)',
  'SELECT NEXTVAL(sequence_ended)',
  'SELECT NEXTVAL(sequence_ended)',
  'CREATE SEQUENCE sequence_set START WITH 5',
  'SELECT SETVAL(sequence_set, 500, 0)',
  'CREATE SEQUENCE `sequence;\n``odd` INCREMENT BY 0',
  "CREATE SEQUENCE sequence_myisam ENGINE = MyISAM COMMENT = 'it''s; a sequence'",
  'CREATE TABLE a_uses_sequence (id BIGINT DEFAULT NEXT VALUE FOR sequence_used PRIMARY KEY, v INT)',
  'INSERT INTO a_uses_sequence (v) VALUES (1), (2)',
]);
