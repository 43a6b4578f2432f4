/**
 * A policy of MySQL: where `table_encryption_privilege_check` is on, a database whose default encryption
 * is not the server's is made only by who has TABLE_ENCRYPTION_ADMIN (error 3827).
 */
import type { DatabaseDefaults } from '../../sql/database-defaults.js';
import { grantGlobally } from '../doctor/doctor-grant.js';
import type { ServerState } from '../doctor/doctor-server-state.js';
import type { Ability } from './recovery-abilities.js';

const PRIVILEGE = 'TABLE_ENCRYPTION_ADMIN';

/**
 * Whether the database as it is could be made again, which a rollback would have to; and whether it can
 * be made as the backup says. Either is undefined where there is none or nothing is said.
 */
export function judgeEncryption(
  state: ServerState,
  old: DatabaseDefaults | undefined,
  wanted: DatabaseDefaults | undefined,
): Ability[] {
  const { grants, variables } = state;
  const isChecked = variables.get('table_encryption_privilege_check') === 'ON';
  if (!isChecked || grants.holdsGlobally(PRIVILEGE) || grants.holdsGlobally('SUPER')) return [];
  const servers = variables.get('default_table_encryption') === 'ON';
  const differs = (one: DatabaseDefaults | undefined): boolean =>
    one?.defaultEncryption !== undefined && one.defaultEncryption !== servers;
  const next = grantGlobally(state, [PRIVILEGE]);
  if (differs(old)) {
    const text = `${PRIVILEGE} missing: the database's default encryption is not the server's, and could not be set again`;
    return [{ level: 'refused', text, next }];
  }
  if (!differs(wanted)) return [];
  const text = `${PRIVILEGE} missing: the database gets the server's default encryption and not that of the backup`;
  return [{ level: 'warning', text, next }];
}
