/** Settings that were probably meant differently are warned about, others' settings are left alone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cutSecretWarnings,
  editDistance,
  spellingWarnings,
} from '../../src/config/misspellings.js';

const nothingSet = (): boolean => false;

describe('spelling', () => {
  test.each([
    ['BACKUP_RETENTON', 'BACKUP_RETENTION'],
    ['BACKUP_CORN_SCHEDULE', 'BACKUP_CRON_SCHEDULE'],
    ['BACKUP_THREAD', 'BACKUP_THREADS'],
    ['BACKUP_PATH', 'BACKUP_DIR'],
    ['DB_PASSWORD', 'DB_PASS'],
    ['DB_HSOT', 'DB_HOST'],
    ['VERIFY_DB_PORTS', 'VERIFY_DB_PORT'],
  ])('%s suggests %s', (name, meant) => {
    expect(spellingWarnings([name], nothingSet)).toEqual([
      `${name} in .env is not a setting of Reshelve; did you mean ${meant}?`,
    ]);
  });

  test('a setting of ours that this version does not know is called that', () => {
    expect(spellingWarnings(['BACKUP_SOMETHING_ELSE'], nothingSet)).toEqual([
      'BACKUP_SOMETHING_ELSE in .env is not a setting of this version of Reshelve; it has no effect',
    ]);
  });

  test('known settings, secret files and the host application’s own are not warned about', () => {
    const names = ['DB_PASS_FILE', 'DB_HOST', 'DB_DIALECT', 'DB_POOL_MAX', 'NODE_ENV', 'BACKUPS'];
    expect(spellingWarnings(names, nothingSet)).toEqual([]);
    expect(spellingWarnings(['DB_PASSWORD', 'DB_HOST2'], () => true)).toEqual([]);
  });

  test('the edit distance is a metric for single edits', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('ab', 'ba')).toBe(1);
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance === 0).toBe(left === right);
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(left.length - right.length));
      }),
    );
  });
});

describe('a password cut at #', () => {
  test.each(['DB_PASS=pa#ss', 'export DB_PASS = pa#ss#x', 'JWT_SECRET=a# comment'])(
    '%s',
    (line) => {
      const [warning] = cutSecretWarnings(`DB_HOST=x\r\n${line}\r\n`);
      expect(warning).toMatch(/what follows the first # is read as a comment/);
      expect(warning).not.toContain('pa');
    },
  );

  test.each([
    'DB_PASS="pa#ss"',
    "DB_PASS='pa#ss'",
    'DB_PASS=pass # note',
    'DB_HOST=a#b',
    '# DB_PASS=a#b',
  ])('no warning: %s', (line) => {
    expect(cutSecretWarnings(line)).toEqual([]);
  });
});
