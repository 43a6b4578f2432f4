/** What the settings mean once they are read and found valid. */
import type { Secret } from './secret.js';

type TlsMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity';

/** Files are absolute paths that could be read when the configuration was loaded. */
export interface TlsConfiguration {
  readonly mode: TlsMode;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
}

/** Fits the connection settings of src/mysql as it is. */
export interface ServerConfiguration {
  readonly host: string;
  readonly port: number;
  /** Wins over host and port where it is set. */
  readonly socketPath?: string;
  readonly user: string;
  readonly password: Secret;
  readonly tls: TlsConfiguration;
  /** How long the server may be silent within an answer. */
  readonly silenceMs: number;
}

type BackupEngine = 'native' | 'mysqldump';

export interface StreamConfiguration {
  /** Whether the scheduler captures continuously. */
  readonly isOn: boolean;
  readonly segmentMs: number;
  /** How long a failure of server or disk is tried to be overcome. */
  readonly retryMs: number;
}

export interface BackupConfiguration {
  /** Absolute path of BACKUP_DIR. */
  readonly directory: string;
  /** BACKUP_DIR as it was written, for messages: `./backups` stays `backups`. */
  readonly directoryShown: string;
  /** How many good full backups to keep, at least 1. */
  readonly retention: number;
  readonly incrementalRetention: number;
  /** How many emergency backups of recoveries to keep, at least 1. */
  readonly emergencyRetention: number;
  /** How many days the old tables of an online recovery are kept; 0 is until `--finish`. */
  readonly beforeRetentionDays: number;
  /** As written; the scheduler validates it. */
  readonly cronSchedule: string;
  /** As written; undefined where the scheduler makes no incrementals. */
  readonly incrementalCronSchedule: string | undefined;
  readonly stream: StreamConfiguration;
  /** IANA name. */
  readonly timeZone: string;
  readonly threads: number;
  /** 1 (fast) to 9 (small). */
  readonly compressionLevel: number;
  readonly engine: BackupEngine;
  /** A path or a name on PATH. */
  readonly mysqldumpPath: string;
  /** Empty means: every table that the backup's index names. */
  readonly criticalTables: readonly string[];
  /** How long to wait for another run to end before giving up with LOCKED; 0 is not at all. */
  readonly lockWaitMs: number;
}

/** Settings of the web page; validated where they are set, used by a later part. */
export interface WebConfiguration {
  readonly jwtSecret?: Secret;
  /** Seconds. */
  readonly jwtExpiresInSeconds?: number;
  readonly rateLimitWindowMs?: number;
  readonly rateLimitMax?: number;
}

export interface Configuration {
  readonly server: ServerConfiguration;
  readonly databaseName: string;
  /** Where test restores go; the same server where no VERIFY_DB_* is set. */
  readonly verifyServer: ServerConfiguration;
  /** True where `verifyServer` is another one than `server`. */
  readonly verifiesElsewhere: boolean;
  readonly backup: BackupConfiguration;
  readonly web: WebConfiguration;
  /** For the user to read: likely misspelt settings and the like. Never hold a secret. */
  readonly warnings: readonly string[];
}
