/** What views, triggers and routines do, in the few columns that tell it without opening any of them. */
import { quoteString } from '../sql/quote.js';
import type { Session } from './session.js';

export interface StoredBody {
  readonly type: 'view' | 'trigger' | 'procedure' | 'function' | 'package' | 'package body';
  readonly name: string;
  /** In utf8mb4. */
  readonly text: Buffer;
  readonly sqlMode: string;
}

/** Those that the user may read; nothing is said of the others. */
export async function readStoredBodies(session: Session, database: string): Promise<StoredBody[]> {
  const name = quoteString(database);
  const { rows } = await session.query(
    `SELECT 'view', TABLE_NAME, VIEW_DEFINITION, '' FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ${name}
     UNION ALL SELECT 'trigger', TRIGGER_NAME, ACTION_STATEMENT, SQL_MODE FROM information_schema.TRIGGERS
     WHERE TRIGGER_SCHEMA = ${name}
     UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME, ROUTINE_DEFINITION, SQL_MODE FROM information_schema.ROUTINES
     WHERE ROUTINE_SCHEMA = ${name}`,
  );
  return rows.flatMap(([type, object, text, sqlMode]) => {
    if (text === undefined || text === null || text.length === 0) return [];
    return {
      type: (type?.toString() ?? '') as StoredBody['type'],
      name: object?.toString('utf8') ?? '',
      text,
      sqlMode: sqlMode?.toString() ?? '',
    };
  });
}
