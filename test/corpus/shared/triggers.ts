import { quotedLiteral, quoteName } from '../sql-text.js';
import { inSession, scaledTheme } from '../step.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Triggers that would spoil a restore if they fired, several per event, in an order not by name. */
export const triggers = scaledTheme('triggers', (_scale, database) => {
  const db = quoteName(database);
  return [
    'CREATE TABLE trigger_table (id INT PRIMARY KEY, v VARCHAR(100), n INT)',
    'CREATE TABLE trigger_log (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT)',
    "INSERT INTO trigger_table VALUES (1, 'before any trigger', 0), (2, NULL, NULL)",
    "CREATE TRIGGER trigger_m BEFORE INSERT ON trigger_table FOR EACH ROW SET NEW.v = CONCAT(NEW.v, ' m')",
    "CREATE TRIGGER trigger_z BEFORE INSERT ON trigger_table FOR EACH ROW PRECEDES trigger_m SET NEW.v = CONCAT(NEW.v, ' z')",
    "CREATE TRIGGER trigger_a BEFORE INSERT ON trigger_table FOR EACH ROW FOLLOWS trigger_m SET NEW.v = CONCAT(NEW.v, ' a')",
    "CREATE TRIGGER trigger_b BEFORE INSERT ON trigger_table FOR EACH ROW FOLLOWS trigger_z SET NEW.v = CONCAT(NEW.v, ' b')",
    `CREATE TRIGGER trigger_log_insert AFTER INSERT ON trigger_table FOR EACH ROW
BEGIN
  -- several lines; with ;; and DELIMITER
  INSERT INTO trigger_log (t) VALUES (CONCAT('it''s; \\\\ ', NEW.id));
  IF NEW.n > 0 THEN
    SET @x = 1;
  END IF;
END`,
    `CREATE TRIGGER trigger_qualified AFTER UPDATE ON ${db}.trigger_table FOR EACH ROW INSERT INTO ${db}.trigger_log (t) VALUES (${quotedLiteral(`${db}.trigger_log`)})`,
    `CREATE TRIGGER ${db}.trigger_own_name_qualified AFTER UPDATE ON trigger_table FOR EACH ROW INSERT INTO trigger_log (t) VALUES (OLD.v) -- ends in a comment`,
    'CREATE TRIGGER trigger_delete BEFORE DELETE ON trigger_table FOR EACH ROW BEGIN END',
    "CREATE TRIGGER trigger_refuses BEFORE UPDATE ON trigger_log FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it''s refused; ;;'",
    // Would refuse every row of a restore, or send it somewhere else.
    "CREATE TRIGGER trigger_refuses_inserts BEFORE INSERT ON trigger_log FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
    'CREATE TRIGGER trigger_to_missing AFTER DELETE ON trigger_table FOR EACH ROW INSERT INTO never_made_table VALUES (OLD.id)',
    "CREATE DEFINER = 'nobody'@'nowhere.example' TRIGGER trigger_no_definer AFTER DELETE ON trigger_table FOR EACH ROW DO 1",
    ...inSession({ sqlMode: 'ANSI_QUOTES' }, [
      'CREATE TRIGGER "trigger;`ansi" BEFORE UPDATE ON "trigger_table" FOR EACH ROW SET NEW."v" = \'x"y\'',
    ]),
    ...inSession({ sqlMode: 'NO_BACKSLASH_ESCAPES' }, [
      "CREATE TRIGGER trigger_no_backslash BEFORE UPDATE ON trigger_table FOR EACH ROW SET NEW.v = 'c:\\'",
    ]),
    ...inSession({ charset: 'latin1' }, [
      latin1(
        "CREATE TRIGGER `trigger_\xe9` BEFORE UPDATE ON trigger_table FOR EACH ROW SET NEW.v = 'caf\xe9'",
      ),
    ]),
  ];
});

/** Events: recurring, one-time, disabled, in another time zone; none does anything when it runs. */
export const events = scaledTheme('events', (_scale, database) => [
  "CREATE EVENT event_daily ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 02:30:00' ENDS '2038-01-18 23:59:59' ON COMPLETION PRESERVE COMMENT 'it''s; ;; \\\\ \"x\"' DO DELETE FROM event_table WHERE 1 = 0",
  "CREATE EVENT event_once ON SCHEDULE AT '2037-06-15 12:00:00' ON COMPLETION PRESERVE DISABLE DO SELECT 1",
  "CREATE EVENT event_once_dropped ON SCHEDULE AT '2037-06-15 12:00:00' DO BEGIN END",
  "CREATE EVENT event_disabled ON SCHEDULE EVERY '1 2:3' DAY_MINUTE STARTS '2037-01-01 00:00:00' DISABLE DO BEGIN\n  -- comment ;;\n  SELECT 'DELIMITER ;';\nEND",
  "CREATE EVENT event_running ON SCHEDULE EVERY 1 SECOND STARTS '2001-01-01 00:00:00' DO DO 0",
  "CREATE EVENT event_replica ON SCHEDULE EVERY 3 QUARTER STARTS '2037-01-01 00:00:00' DISABLE ON SLAVE DO DO 0",
  `CREATE EVENT ${quoteName(database)}.event_qualified ON SCHEDULE EVERY 1 WEEK STARTS '2037-01-01 00:00:00' DO DELETE FROM ${quoteName(database)}.event_table WHERE 1 = 0`,
  ...inSession({ timeZone: '+05:30' }, [
    "CREATE EVENT event_india ON SCHEDULE EVERY 1 MONTH STARTS '2037-03-31 02:30:00' DO DO 0",
    "CREATE EVENT event_india_once ON SCHEDULE AT '2037-03-31 02:30:00' DO DO 0",
  ]),
  ...inSession({ timeZone: 'SYSTEM' }, [
    "CREATE EVENT event_system ON SCHEDULE EVERY 1 YEAR STARTS '2037-03-31 02:30:00' DO DO 0",
  ]),
  ...inSession({ sqlMode: 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' }, [
    'CREATE EVENT "event;`ansi" ON SCHEDULE EVERY 5 HOUR STARTS \'2037-01-01 00:00:00\' DO SELECT "a" FROM "t" WHERE x = \'\\\'',
  ]),
  ...inSession({ charset: 'latin1' }, [
    latin1(
      "CREATE EVENT `event_\xe9` ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' COMMENT 'caf\xe9' DO SELECT '\xe9'",
    ),
  ]),
  "CREATE DEFINER = 'nobody'@'nowhere.example' EVENT event_no_definer ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DO 0",
]);
