/** The one entry of the corpus: data nastier than any user's, and the judge of what became of it. */
export { mariadbBeyondText, mysqlBeyondText } from './beyond-text.js';
export { loadCorpus, CORPUS_SQL_MODE, type LoadOptions, type LoadReport } from './load.js';
export { manyTables } from './many-tables.js';
export { mariadbCorpus } from './mariadb.js';
export { mysqlCorpus } from './mysql.js';
export { ODD_DATABASE_NAME, ODD_NAMES } from './odd-names.js';
export { captureState, compareStates, type DatabaseState } from './oracle.js';
export type { ServerAddress } from './raw-connection.js';
export { FULL_SCALE, SMALL_SCALE, type CorpusScale, type CorpusTheme } from './step.js';
