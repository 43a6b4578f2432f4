/**
 * A policy of MySQL: where `table_encryption_privilege_check` is on, a database whose default encryption
 * is not the server's is made only by who has TABLE_ENCRYPTION_ADMIN (error 3827).
 */
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { grantGlobally } from '../doctor/doctor-grant.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import type { Ability } from './recovery-abilities.js';

const PRIVILEGE = 'TABLE_ENCRYPTION_ADMIN';

/** Whether the database as it is could be made again; `old` is undefined where there is none. */
export function judgeEncryption(state: ServerState, old: DatabaseDefaults | undefined): Ability[] {
  const { grants, variables } = state;
  const wanted = old?.defaultEncryption;
  const isChecked = variables.get('table_encryption_privilege_check') === 'ON';
  const servers = variables.get('default_table_encryption') === 'ON';
  if (wanted === undefined || !isChecked || wanted === servers) return [];
  if (grants.holdsGlobally(PRIVILEGE) || grants.holdsGlobally('SUPER')) return [];
  return [
    {
      level: 'refused',
      text: `${PRIVILEGE} missing: the database's default encryption is not the server's, and could not be set again`,
      next: grantGlobally(state, [PRIVILEGE]),
    },
  ];
}
