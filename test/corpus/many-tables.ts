import { quoteName } from './sql-text.js';
import { scaledTheme, type CorpusTheme } from './step.js';

/** A schema of `count` small tables, every tenth with a row, every hundredth with a view and a trigger. */
export function manyTables(count: number): CorpusTheme {
  return scaledTheme('many-tables', () =>
    Array.from({ length: count }, (_, index) => index).flatMap((index) => {
      const name = `table_${String(index).padStart(5, '0')}`;
      const steps = [
        `CREATE TABLE ${name} (id INT PRIMARY KEY, v VARCHAR(20), KEY (v)) COMMENT 'number ${index}'`,
      ];
      if (index % 10 === 0) steps.push(`INSERT INTO ${name} VALUES (${index}, 'row'), (-1, NULL)`);
      if (index % 100 === 0) {
        steps.push(`CREATE VIEW ${quoteName(`a view ${index}`)} AS SELECT v FROM ${name}`);
        steps.push(
          `CREATE TRIGGER trigger_${index} BEFORE INSERT ON ${name} FOR EACH ROW SET NEW.v = 'fired'`,
        );
      }
      return steps;
    }),
  );
}
