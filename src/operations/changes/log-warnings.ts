/** What about the server's log may cost changes, or the chain; said by each incremental. */
import type { BinlogState } from '../../archive/index-types.js';
import {
  expiryWords,
  listHiddenCascades,
  LOG_EXPIRY_SECONDS_MIN,
  readLogExpirySeconds,
} from '../../mysql/binlog-state.js';
import type { Session } from '../../mysql/session.js';
import type { Warning } from '../context.js';

export async function logWarnings(
  session: Session,
  database: string,
  { format, pendingXa }: BinlogState,
): Promise<Warning[]> {
  const isMySql = session.facts.flavour === 'mysql';
  const warnings: Warning[] = [];
  // MIXED is what MariaDB begins with, and it logs rows wherever a statement would not do.
  if (format === 'STATEMENT' || (format === 'MIXED' && isMySql)) {
    const message = `binlog_format is ${format}: statements that name other databases end the chain`;
    warnings.push({ code: 'BINLOG_FORMAT', message });
  }
  if (!isMySql) {
    const image = (await session.value('SELECT @@GLOBAL.binlog_row_image')) ?? 'FULL';
    if (image !== 'FULL') {
      const message = `binlog_row_image is ${image}: what triggers change may be missing in the log; SET GLOBAL binlog_row_image = 'FULL'`;
      warnings.push({ code: 'BINLOG_ROW_IMAGE', message });
    }
  }
  const expirySeconds = await readLogExpirySeconds(session);
  if (expirySeconds > 0 && expirySeconds < LOG_EXPIRY_SECONDS_MIN) {
    const message = `the server deletes its binary logs after ${expiryWords(expirySeconds)}: an incremental that comes later finds a gap`;
    warnings.push({ code: 'BINLOG_EXPIRY', message });
  }
  if (pendingXa.length > 0) {
    const message = `${pendingXa.length} XA transactions are prepared and not decided; the next incremental reads them again`;
    warnings.push({ code: 'XA_PENDING', message });
  }
  const tables = await listHiddenCascades(session, database);
  if (tables.length > 0) {
    const message = `foreign keys into other databases change ${tables.join(', ')} without a word in the binary log`;
    warnings.push({ code: 'HIDDEN_CASCADES', message });
  }
  return warnings;
}
