import { theme } from '../step.js';

/** Check constraints: named, unnamed, with odd strings, and met only by luck. */
export const checks = theme('checks', [
  `CREATE TABLE checks (id INT PRIMARY KEY CHECK (id >= 0), a INT, s VARCHAR(50), d DATE,
    CONSTRAINT \`chk;1\` CHECK (a IS NULL OR a BETWEEN -10 AND 10),
    CONSTRAINT chk_text CHECK (s <> 'it''s; -- "bad" \\\\\\\\ %' AND s NOT LIKE '%/*%'),
    CHECK (d > '1000-01-01' OR a = 1), CHECK (s <> 'Ж😀'))`,
  `INSERT INTO checks VALUES (0, NULL, NULL, NULL), (1, 10, 'fine', '2024-02-30'), (2, 1, '', '0000-00-00')`,
]);
