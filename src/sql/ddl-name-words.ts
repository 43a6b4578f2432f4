/** The keywords that tell ddl-names.ts what a name stands for. */

/** Words that may stand between a keyword that wants a table and the table. */
export const TABLE_MODIFIERS: ReadonlySet<string> = new Set([
  'ALL',
  'DELAYED',
  'EXISTS',
  'EXTENDED',
  'HIGH_PRIORITY',
  'IF',
  'IGNORE',
  'LATERAL',
  'LOCAL',
  'LOW_PRIORITY',
  'NOT',
  'ONLINE',
  'QUICK',
]);

/** Reserved words after which the tables of a statement are over. */
export const ENDS_TABLES: ReadonlySet<string> = new Set([
  'EXCEPT',
  'GROUP',
  'HAVING',
  'INTERSECT',
  'LIMIT',
  'ORDER',
  'PROCEDURE',
  'SET',
  'UNION',
  'VALUES',
  'WHERE',
  'WINDOW',
]);

/** Words that begin a statement inside a compound statement. */
export const BEGINS_STATEMENT: ReadonlySet<string> = new Set([
  'BEGIN',
  'DO',
  'ELSE',
  'LOOP',
  'THEN',
]);

export const DEFINES: ReadonlySet<string> = new Set(['ALTER', 'CREATE', 'DROP']);

export const ROUTINE_WORDS: ReadonlySet<string> = new Set([
  'BODY',
  'EVENT',
  'FUNCTION',
  'PACKAGE',
  'PROCEDURE',
  'TRIGGER',
]);

export const RELATION_WORDS: ReadonlySet<string> = new Set(['SEQUENCE', 'VIEW']);

export const TRIGGER_EVENTS: ReadonlySet<string> = new Set(['DELETE', 'INSERT', 'UPDATE']);

export const SEQUENCE_FUNCTIONS: ReadonlySet<string> = new Set(['LASTVAL', 'NEXTVAL', 'SETVAL']);
