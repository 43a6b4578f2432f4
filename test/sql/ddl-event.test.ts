import { describe, expect, it } from 'vitest';
import { readEventStatus, setEventStatus } from '../../src/sql/ddl-event.js';

const set = (text: string, status: Parameters<typeof setEventStatus>[1] = 'DISABLE'): string =>
  setEventStatus(Buffer.from(text), status).toString();

describe('the status of an event', () => {
  const body = "BEGIN UPDATE t SET ENABLE = 'DISABLE' WHERE x = 'DO'; END";

  it.each([
    ['ENABLE', 'ENABLE'],
    ['DISABLE', 'DISABLE'],
    ['DISABLE ON REPLICA', 'DISABLE ON REPLICA'],
    ['DISABLE ON SLAVE', 'DISABLE ON SLAVE'],
  ] as const)('%s is read and replaced in the text of SHOW CREATE EVENT', (status, expected) => {
    const make = (word: string): string =>
      `CREATE DEFINER=\`ENABLE\`@\`%\` EVENT \`DISABLE\` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION NOT PRESERVE ${word} COMMENT 'DO ENABLE' DO ${body}`;
    expect(readEventStatus(Buffer.from(make(status)))).toBe(expected);
    for (const next of ['ENABLE', 'DISABLE', 'DISABLE ON REPLICA'] as const) {
      expect(set(make(status), next)).toBe(make(next));
    }
  });

  it('is added where the text names none', () => {
    expect(set(`CREATE EVENT e ON SCHEDULE AT now() DO ${body}`)).toBe(
      `CREATE EVENT e ON SCHEDULE AT now() DISABLE DO ${body}`,
    );
    expect(set(`CREATE EVENT e ON SCHEDULE EVERY 1 DAY COMMENT 'x' DO ${body}`)).toBe(
      `CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'x' DO ${body}`,
    );
    expect(readEventStatus(Buffer.from(`CREATE EVENT e ON SCHEDULE AT now() DO x`))).toBe('ENABLE');
  });

  it('is found in the version comments of mysqldump', () => {
    const text =
      '/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE DO SELECT 1 */';
    expect(set(text)).toBe(text.replace('ENABLE', 'DISABLE'));
  });

  it('is not looked for in expressions of the schedule', () => {
    const text = 'CREATE EVENT e ON SCHEDULE EVERY (SELECT 1 DO) DAY ENABLE DO SELECT 1';
    expect(set(text)).toBe(
      'CREATE EVENT e ON SCHEDULE EVERY (SELECT 1 DO) DAY DISABLE DO SELECT 1',
    );
  });

  it('keeps bodies in any character set byte for byte', () => {
    const text = Buffer.concat([
      Buffer.from("CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT '"),
      Buffer.from([0x83, 0x5c, 0x83, 0x60]),
      Buffer.from("' -- ENABLE"),
    ]);
    const changed = setEventStatus(text, 'DISABLE', { charset: 'sjis' });
    expect(changed.toString('latin1')).toBe(text.toString('latin1').replace('ENABLE', 'DISABLE'));
  });

  it.each([['CREATE TABLE t (a int)'], ['CREATE EVENT e ON SCHEDULE AT now()'], ['']])(
    'is refused for %j',
    (text) => {
      expect(() => set(text)).toThrow(/expected CREATE EVENT/);
      expect(() => readEventStatus(Buffer.from(text))).toThrow(/expected CREATE EVENT/);
    },
  );
});
