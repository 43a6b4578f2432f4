import { insert } from '../sql-text.js';
import { theme, type CorpusTheme } from '../step.js';

const FRACTIONS = [0, 1, 2, 3, 4, 5, 6] as const;

function fractional(type: string): string {
  return FRACTIONS.map((digits) => `f${digits} ${type}(${digits}) NULL`).join(', ');
}

/** The same moment at each precision, cut rather than rounded, so that nothing overflows. */
function atEachPrecision(whole: string, fraction: string): string[] {
  return FRACTIONS.map((digits) =>
    digits === 0 ? `'${whole}'` : `'${whole}.${fraction.slice(0, digits)}'`,
  );
}

const NULLS = FRACTIONS.map(() => 'NULL');

/**
 * Dates that are zero, partly zero or invalid (2024-02-30), negative and 838-hour times,
 * microseconds at every precision, both ends of TIMESTAMP and the hours that summer time repeats.
 * @param longestTime the server's largest fractional TIME: MySQL stops at `838:59:59.000000`.
 */
export function temporal(longestTime: string): CorpusTheme {
  const [longestWhole = '', longestFraction = ''] = longestTime.split('.');
  return theme('temporal', [
    'CREATE TABLE dates (id INT AUTO_INCREMENT PRIMARY KEY, d DATE, dt DATETIME(6), KEY (d))',
    insert(
      'dates',
      ['d', 'dt'],
      [
        ["'0000-00-00'", "'0000-00-00 00:00:00'"],
        ["'2024-00-00'", "'2024-00-00 00:00:00'"],
        ["'2024-02-00'", "'2024-02-00 23:59:59.999999'"],
        ["'2024-00-15'", "'2024-00-15 12:00:00.5'"],
        ["'0000-01-01'", "'0000-01-01 00:00:00.000001'"],
        ["'0000-00-01'", "'0000-00-31 00:00:00'"],
        ["'2024-02-30'", "'2024-02-30 12:34:56.789'"],
        ["'2023-02-29'", "'2023-02-31 23:59:59.999999'"],
        ["'2024-04-31'", "'2024-11-31 00:00:00.1'"],
        ["'0001-01-01'", "'0001-01-01 00:00:00'"],
        ["'1000-01-01'", "'1000-01-01 00:00:00'"],
        ["'9999-12-31'", "'9999-12-31 23:59:59.999999'"],
        ['NULL', 'NULL'],
      ],
    ),

    `CREATE TABLE datetimes (id INT AUTO_INCREMENT PRIMARY KEY, ${fractional('DATETIME')})`,
    insert(
      'datetimes',
      FRACTIONS.map((n) => `f${n}`),
      [
        atEachPrecision('2024-02-29 23:59:59', '999999'),
        atEachPrecision('2024-02-30 00:00:00', '123456'),
        atEachPrecision('0000-00-00 00:00:00', '000000'),
        atEachPrecision('9999-12-31 23:59:59', '999999'),
        atEachPrecision('2024-01-01 00:00:00', '000001'),
        NULLS,
      ],
    ),

    `CREATE TABLE times (id INT AUTO_INCREMENT PRIMARY KEY, ${fractional('TIME')})`,
    insert(
      'times',
      FRACTIONS.map((n) => `f${n}`),
      [
        atEachPrecision(longestWhole, longestFraction),
        atEachPrecision(`-${longestWhole}`, longestFraction),
        atEachPrecision('838:59:58', '999999'),
        atEachPrecision('-838:59:58', '999999'),
        atEachPrecision('00:00:00', '000001'),
        atEachPrecision('-00:00:00', '999999'),
        atEachPrecision('-00:00:01', '000001'),
        atEachPrecision('100:00:00', '500000'),
        NULLS,
      ],
    ),

    `CREATE TABLE timestamps (id INT AUTO_INCREMENT PRIMARY KEY, ${fractional('TIMESTAMP')})`,
    insert(
      'timestamps',
      FRACTIONS.map((n) => `f${n}`),
      [
        atEachPrecision('1970-01-01 00:00:01', '000001'),
        atEachPrecision('2038-01-19 03:14:07', '999999'),
        atEachPrecision('0000-00-00 00:00:00', '000000'),
        // 02:30 happens twice that night in Berlin, and 02:30 on 31 March not at all.
        atEachPrecision('2024-10-27 00:30:00', '123456'),
        atEachPrecision('2024-10-27 01:30:00', '123456'),
        atEachPrecision('2024-03-31 01:30:00', '999999'),
        NULLS,
      ],
    ),

    'CREATE TABLE years (id INT AUTO_INCREMENT PRIMARY KEY, y YEAR, y4 YEAR(4) NOT NULL DEFAULT 2155)',
    `INSERT INTO years (y, y4) VALUES (0, 0), ('0000', '0000'), (1901, 1901), (2155, 2155),
      (1970, 2000), ('0', '00'), (NULL, 1999)`,

    `CREATE TABLE temporal_defaults (
      id INT PRIMARY KEY,
      created TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
      updated DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
      touched TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
      zero DATE NOT NULL DEFAULT '0000-00-00',
      zero_time DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
      odd DATE DEFAULT '2024-02-30',
      late TIME(6) DEFAULT '-838:59:59',
      stamp TIMESTAMP NOT NULL DEFAULT '2001-02-03 04:05:06')`,
    `INSERT INTO temporal_defaults (id, created, updated, touched, stamp) VALUES
      (1, '2001-01-01 00:00:00.000001', '2001-01-01 00:00:00.001', NULL, DEFAULT),
      (2, '2001-01-01 00:00:00', NULL, '2001-01-01 00:00:00', '1999-12-31 23:59:59')`,
  ]);
}
