import { ODD_NAMES, prefixed } from '../odd-names.js';
import { quotedLiteral, quoteName, textLiteral } from '../sql-text.js';
import { theme } from '../step.js';

/** Column comments stop at 1024 characters, table and index comments have their own limits. */
function comment(name: string): string {
  return quotedLiteral(`${name} ';\n-- "\\ /* */ %s 😀`);
}

function tableSteps(name: string, index: number): string[] {
  const table = quoteName(name);
  const column = quoteName(name.trimEnd());
  const partition = quoteName(prefixed('p', name));
  return [
    `CREATE TABLE ${table} (
      ${column} INT NOT NULL COMMENT ${comment(name)},
      ${quoteName(prefixed('c', name))} VARCHAR(200) DEFAULT ${quotedLiteral(name)} COMMENT ${comment(name)},
      g${index} INT GENERATED ALWAYS AS (${column} + 1) VIRTUAL,
      PRIMARY KEY (${column}),
      KEY ${quoteName(prefixed('k', name))} (${quoteName(prefixed('c', name))}(10)) COMMENT ${comment(name)},
      CONSTRAINT ${quoteName(prefixed(`check${index}`, name))} CHECK (${column} > -1000)
    ) COMMENT = ${comment(name)}`,
    `INSERT INTO ${table} (${column}, ${quoteName(prefixed('c', name))}) VALUES (${index}, ${textLiteral(name)}), (-1, DEFAULT)`,
    `CREATE TABLE ${quoteName(`child_${index}`)} (id INT PRIMARY KEY, parent INT,
      CONSTRAINT ${quoteName(prefixed(`fk${index}`, name))} FOREIGN KEY (parent) REFERENCES ${table} (${column}) ON DELETE CASCADE)`,
    `INSERT INTO child_${index} VALUES (1, ${index}), (2, NULL)`,
    `CREATE TABLE parts_${index} (id INT) PARTITION BY LIST (id) (
      PARTITION ${partition} VALUES IN (1, 2) COMMENT = ${quotedLiteral(name)}, PARTITION rest VALUES IN (3, NULL))`,
    `INSERT INTO parts_${index} VALUES (1), (3), (NULL)`,
  ];
}

function programSteps(name: string, index: number): string[] {
  const table = quoteName(name);
  const column = quoteName(name.trimEnd());
  const q = (prefix: string): string => quoteName(prefixed(prefix, name));
  return [
    `CREATE VIEW ${q(`v${index}`)} AS SELECT ${column} AS ${q('alias')}, ${textLiteral(name)} AS b FROM ${table} AS ${q('t')}`,
    `CREATE TRIGGER ${q(`tr${index}`)} BEFORE INSERT ON ${table} FOR EACH ROW SET NEW.${column} = NEW.${column} + ${index}`,
    `CREATE PROCEDURE ${q(`pr${index}`)}(IN ${q('arg')} INT) COMMENT ${quotedLiteral(name)} SELECT ${q('arg')} FROM ${table}`,
    `CREATE FUNCTION ${q(`fn${index}`)}(${q('arg')} INT) RETURNS INT DETERMINISTIC RETURN ${q('arg')} + ${index}`,
    `CREATE EVENT ${q(`ev${index}`)} ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' COMMENT ${quotedLiteral(name)} DO DELETE FROM ${table} WHERE ${column} = -12345`,
  ];
}

/** Every kind of object under every odd name. */
export const names = theme('names', [
  ...ODD_NAMES.flatMap(tableSteps),
  ...ODD_NAMES.flatMap(programSteps),
]);
