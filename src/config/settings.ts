/** The table of all settings: what .env.example, the reader and the spelling check go by. */

interface SettingEntry {
  /** As it would stand in .env; left out where there is no default, or the machine decides. */
  readonly fallback?: string;
  /** Never shown, and also taken from the file that NAME_FILE names. */
  readonly secret?: true;
}

const SETTINGS = {
  DB_HOST: { fallback: 'localhost' },
  DB_PORT: { fallback: '3306' },
  DB_USER: { fallback: 'root' },
  DB_PASS: { secret: true },
  DB_NAME: { fallback: 'LibraryDB' },
  DB_SOCKET: {},
  DB_SSL_MODE: {},
  DB_SSL_CA: {},
  DB_SSL_CERT: {},
  DB_SSL_KEY: {},
  DB_TIMEOUT_SECONDS: { fallback: '900' },
  BACKUP_DIR: { fallback: './backups' },
  BACKUP_RETENTION: { fallback: '5' },
  BACKUP_INCREMENTAL_RETENTION: { fallback: '10' },
  BACKUP_EMERGENCY_RETENTION: { fallback: '3' },
  BACKUP_BEFORE_RETENTION_DAYS: { fallback: '7' },
  BACKUP_CRON_SCHEDULE: { fallback: '0 2 * * *' },
  BACKUP_INCREMENTAL_CRON_SCHEDULE: {},
  BACKUP_STREAM: { fallback: 'off' },
  BACKUP_STREAM_SEGMENT_SECONDS: { fallback: '60' },
  BACKUP_STREAM_RETRY_SECONDS: { fallback: '900' },
  BACKUP_TIMEZONE: {},
  BACKUP_THREADS: {},
  BACKUP_COMPRESSION_LEVEL: { fallback: '3' },
  BACKUP_ENGINE: { fallback: 'native' },
  BACKUP_MYSQLDUMP_PATH: { fallback: 'mysqldump' },
  BACKUP_CRITICAL_TABLES: {},
  BACKUP_LOCK_WAIT_SECONDS: { fallback: '0' },
  VERIFY_DB_HOST: {},
  VERIFY_DB_PORT: {},
  VERIFY_DB_USER: {},
  VERIFY_DB_PASS: { secret: true },
  VERIFY_DB_SOCKET: {},
  VERIFY_DB_SSL_MODE: {},
  VERIFY_DB_SSL_CA: {},
  VERIFY_DB_SSL_CERT: {},
  VERIFY_DB_SSL_KEY: {},
  JWT_SECRET: { secret: true },
  JWT_EXPIRES_IN: {},
  RATE_LIMIT_WINDOW_MS: {},
  RATE_LIMIT_MAX: {},
} as const satisfies Record<string, SettingEntry>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSecret(name: SettingName): boolean {
  return 'secret' in SETTINGS[name];
}

export function fallbackOf(name: SettingName): string | undefined {
  const entry: SettingEntry = SETTINGS[name];
  return entry.fallback;
}
