import { describe, expect, it } from 'vitest';
import { readDefiner, replaceDefiner, stripDefiner } from '../../src/sql/ddl-definer.js';

const read = (text: string, sqlMode = ''): unknown => readDefiner(Buffer.from(text), { sqlMode });
const strip = (text: string): string => stripDefiner(Buffer.from(text)).toString();

describe('the definer', () => {
  it.each([
    ['CREATE DEFINER=`ro``ot`@`local.host` VIEW v AS select 1', 'ro`ot', 'local.host'],
    ["CREATE DEFINER = 'a b'@'%' PROCEDURE p() SELECT 1", 'a b', '%'],
    [
      'CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=u@h SQL SECURITY DEFINER VIEW v AS x',
      'u',
      'h',
    ],
    [
      '/*!50001 CREATE ALGORITHM=MERGE */\n/*!50013 DEFINER=`a`@`b` SQL SECURITY INVOKER */ x',
      'a',
      'b',
    ],
    ['CREATE DEFINER=CURRENT_USER() EVENT e DO x', 'CURRENT_USER', undefined],
    ['CREATE DEFINER=CURRENT_USER TRIGGER t x', 'CURRENT_USER', undefined],
    ['CREATE DEFINER=`role` FUNCTION f() x', 'role', undefined],
    ['ALTER DEFINER=a@b VIEW v AS x', 'a', 'b'],
  ])('is read from %s', (text, user, host) => {
    expect(read(text)).toEqual({ user, host });
  });

  it('is read under ANSI_QUOTES', () => {
    expect(read('CREATE DEFINER="root"@"localhost" PROCEDURE "p"() x', 'ANSI_QUOTES')).toEqual({
      user: 'root',
      host: 'localhost',
    });
  });

  it.each([
    ['CREATE VIEW v AS select 1'],
    ['CREATE SQL SECURITY DEFINER VIEW v AS select DEFINER=`a`@`b`'],
    ['CREATE PROCEDURE p() SET DEFINER=1'],
    ['CREATE TABLE DEFINER (DEFINER int)'],
    [''],
  ])('is not found in %j', (text) => {
    expect(read(text)).toBeUndefined();
    expect(strip(text)).toBe(text);
    expect(replaceDefiner(Buffer.from(text), { user: 'x', host: 'y' }).toString()).toBe(text);
  });

  it('is removed with one space, and nothing else is', () => {
    expect(strip('CREATE DEFINER=`a`@`b` VIEW `v` AS select 1')).toBe(
      'CREATE VIEW `v` AS select 1',
    );
    expect(strip('/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t x */')).toBe(
      '/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t x */',
    );
    expect(strip('CREATE DEFINER=CURRENT_USER() EVENT e DO x')).toBe('CREATE EVENT e DO x');
    expect(strip(strip('CREATE DEFINER=a@b VIEW v AS x'))).toBe('CREATE VIEW v AS x');
  });

  it('is replaced by another, quoted', () => {
    const text = Buffer.from('CREATE DEFINER=a@b SQL SECURITY DEFINER VIEW v AS select 1');
    const replaced = replaceDefiner(text, { user: 'o`k', host: '%' });
    expect(replaced.toString()).toBe(
      'CREATE DEFINER=`o``k`@`%` SQL SECURITY DEFINER VIEW v AS select 1',
    );
    expect(readDefiner(replaced)).toEqual({ user: 'o`k', host: '%' });
    expect(replaceDefiner(text, { user: 'role', host: undefined }).toString()).toContain(
      'DEFINER=`role` SQL',
    );
  });
});
