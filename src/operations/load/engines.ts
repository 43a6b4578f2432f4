/** Whether the restored tables have the engines that they had. */
import type { TableEntry } from '../../archive/index-types.js';
import { listTables } from '../../mysql/schema-tables.js';
import type { Session } from '../../mysql/session.js';
import type { Run } from '../run.js';

/** A server without an engine, or that forbids it, makes the table with another one and says nothing. */
export async function warnOfOtherEngines(
  session: Session,
  database: string,
  expected: readonly TableEntry[],
  run: Pick<Run, 'warn'>,
): Promise<void> {
  const { tables } = await listTables(session, database);
  const found = new Map(tables.map(({ name, engine }) => [name, engine ?? '']));
  const others = expected.flatMap(({ name, engine }) => {
    const now = found.get(name) ?? engine;
    return now.toLowerCase() === engine.toLowerCase() ? [] : [`${name} (${now}, was ${engine})`];
  });
  if (others.length === 0) return;
  run.warn({
    code: 'OTHER_ENGINE',
    message: `this server made tables with another storage engine than they had: ${others.join(', ')}`,
  });
}
