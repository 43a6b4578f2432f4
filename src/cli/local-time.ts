/** Times as people read them, in BACKUP_TIMEZONE. */
import { localTimestamp } from '../catalog/names.js';

/** `2026-01-02 02:00:00`. */
export function formatLocalTime(at: Date, timeZone: string): string {
  return localTimestamp(at, timeZone).replace(
    /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/,
    '$1-$2-$3 $4:$5:$6',
  );
}
