// Goal: a default encryption that could not be set is told before a recovery begins. Method: vectors.
import { expect, test } from 'vitest';
import { parseGrants } from '../../../src/mysql/grants.js';
import type { ServerState } from '../../../src/operations/doctor/doctor-server-state.js';
import { judgeEncryption } from '../../../src/operations/recovery/recovery-encryption.js';

const plain = { characterSet: 'utf8mb4', collation: 'utf8mb4_bin' };
const on = { ...plain, defaultEncryption: true };
const off = { ...plain, defaultEncryption: false };

function serverWith(check: 'ON' | 'OFF', encryption: 'ON' | 'OFF', grant = 'ALL'): ServerState {
  return {
    account: 'few@%',
    facts: { flavour: 'mysql', version: '9.7.0', major: 9, minor: 7, patch: 0 },
    namesAreLiteral: false,
    grants: parseGrants([`GRANT ${grant} ON *.* TO \`few\`@\`%\``]),
    variables: new Map([
      ['table_encryption_privilege_check', check],
      ['default_table_encryption', encryption],
    ]),
    coordinatesTell: true,
  } as unknown as ServerState;
}

test.each([
  ['nothing is checked', serverWith('OFF', 'ON'), off, off, []],
  ['both are the server’s', serverWith('ON', 'ON'), on, on, []],
  ['nothing is said', serverWith('ON', 'ON'), plain, undefined, []],
  ['the user may', serverWith('ON', 'ON', 'TABLE_ENCRYPTION_ADMIN'), off, off, []],
  ['it could not be made again', serverWith('ON', 'ON'), off, on, ['refused']],
  ['the backup’s could not be made', serverWith('ON', 'OFF'), undefined, on, ['warning']],
])('%s', (_, state, old, wanted, levels) => {
  const found = judgeEncryption(state, old, wanted);
  expect(found.map(({ level }) => level)).toEqual(levels);
  for (const { next } of found) {
    expect(next).toBe('GRANT TABLE_ENCRYPTION_ADMIN ON *.* TO `few`@`%`;');
  }
});
