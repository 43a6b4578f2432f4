import { inSession, theme } from '../step.js';

/** Foreign keys to oneself, in a circle, of several columns, without their parents, and with orphans. */
export const foreignKeys = theme('foreign-keys', [
  `CREATE TABLE fk_self (id INT PRIMARY KEY, parent INT, other INT,
    CONSTRAINT fk_self_parent FOREIGN KEY (parent) REFERENCES fk_self (id) ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT \`fk;self/other\` FOREIGN KEY (other) REFERENCES fk_self (id) ON DELETE CASCADE)`,
  ...inSession({ variables: { foreign_key_checks: '0' } }, [
    // Children before their parents, a row that is its own parent, and a circle of two rows.
    'INSERT INTO fk_self VALUES (1, 2, 3), (2, 1, NULL), (3, 3, 3), (4, NULL, 1)',
    'CREATE TABLE fk_circle_a (id INT PRIMARY KEY, b INT, CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES fk_circle_b (id))',
    'CREATE TABLE fk_circle_b (id INT PRIMARY KEY, a INT, CONSTRAINT b_to_a FOREIGN KEY (a) REFERENCES fk_circle_a (id))',
    'INSERT INTO fk_circle_a VALUES (1, 1), (2, 2)',
    'INSERT INTO fk_circle_b VALUES (1, 2), (2, 1)',
    // Rows that no longer satisfy their constraint, and a constraint whose parent does not exist.
    'CREATE TABLE fk_orphans (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES fk_self (id))',
    'INSERT INTO fk_orphans VALUES (1, 1), (2, 999)',
    'CREATE TABLE fk_no_parent (id INT PRIMARY KEY, p INT, CONSTRAINT no_parent FOREIGN KEY (p) REFERENCES fk_never_made (id))',
    'INSERT INTO fk_no_parent VALUES (1, 5), (2, NULL)',
  ]),
  'CREATE TABLE fk_z_parent (a INT, b VARCHAR(20), u INT UNIQUE, PRIMARY KEY (a, b))',
  "INSERT INTO fk_z_parent VALUES (1, 'x', 10), (1, 'y', 11)",
  // The child's name sorts before its parent's.
  `CREATE TABLE fk_a_child (id INT PRIMARY KEY, a INT, b VARCHAR(20), u INT,
    CONSTRAINT composite FOREIGN KEY (a, b) REFERENCES fk_z_parent (a, b) ON DELETE CASCADE ON UPDATE SET NULL,
    CONSTRAINT to_unique FOREIGN KEY (u) REFERENCES fk_z_parent (u) ON DELETE NO ACTION ON UPDATE RESTRICT)`,
  "INSERT INTO fk_a_child VALUES (1, 1, 'x', 10), (2, 1, NULL, NULL), (3, NULL, 'nowhere', 11)",
  // Unnamed constraints get numbered names; dropping one leaves a hole in the numbers.
  `CREATE TABLE fk_unnamed (id INT PRIMARY KEY, a INT, b INT, c INT,
    FOREIGN KEY (a) REFERENCES fk_self (id), FOREIGN KEY (b) REFERENCES fk_self (id), FOREIGN KEY (c) REFERENCES fk_self (id))`,
  'ALTER TABLE fk_unnamed DROP FOREIGN KEY fk_unnamed_ibfk_2',
  'INSERT INTO fk_unnamed VALUES (1, 1, 1, 1)',
]);
