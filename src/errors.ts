/**
 * The one table of error codes. Every failure that a user can meet is an entry here: its exit code,
 * what it means, and the hint that names the next command to run. `docs/ERRORS.md` repeats this
 * table and a test compares the two in both directions.
 */

/** Process exit codes (DESIGN, section 2). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  warnings: 3,
  integrity: 4,
  gap: 5,
  locked: 6,
  rolledBack: 7,
  rollbackFailed: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorEntry {
  readonly exitCode: ExitCode;
  /** One sentence for docs/ERRORS.md. */
  readonly meaning: string;
  /** The next step, used when the thrower has no better one. Ends with punctuation. */
  readonly hint: string;
}

export const ERROR_TABLE = {
  USAGE: {
    exitCode: EXIT.usage,
    meaning: 'The command line asks for something that does not exist or contradicts itself.',
    hint: 'Run `reshelve --help`.',
  },
  CONFIG: {
    exitCode: EXIT.usage,
    meaning: 'One or more settings are missing or not valid; all of them are listed.',
    hint: 'Correct the named settings in .env or the environment, then run `reshelve doctor`.',
  },
  CONFIRMATION: {
    exitCode: EXIT.usage,
    meaning: 'A database would be overwritten and nobody confirmed it.',
    hint: 'Type the name of the database when asked, or pass --yes where there is no terminal.',
  },
  BACKUP_NOT_FOUND: {
    exitCode: EXIT.usage,
    meaning: 'The backup file that was named, or any backup at all, does not exist.',
    hint: 'Run `reshelve list` to see the backups there are.',
  },
  TRANSACTION_NOT_FOUND: {
    exitCode: EXIT.usage,
    meaning:
      'The transaction that was named is in no incremental and not in the log of the server.',
    hint: 'Run `reshelve events` to see the transactions there are, with their names.',
  },
  CONNECT: {
    exitCode: EXIT.failed,
    meaning: 'The database server does not answer at the configured address.',
    hint: 'Check that the server runs and that DB_HOST, DB_PORT and DB_SOCKET are right; then run `reshelve doctor`.',
  },
  ACCESS_DENIED: {
    exitCode: EXIT.failed,
    meaning: 'The server refused the user name or password.',
    hint: 'Check DB_USER and DB_PASS (or DB_PASS_FILE), then run `reshelve doctor`.',
  },
  UNKNOWN_DATABASE: {
    exitCode: EXIT.failed,
    meaning: 'The database does not exist on the server, or this user may not see it.',
    hint: 'Check DB_NAME and the grants of DB_USER; `reshelve doctor` prints them.',
  },
  PRIVILEGE: {
    exitCode: EXIT.failed,
    meaning:
      'The user lacks a privilege without which the result would be incomplete or inconsistent.',
    hint: 'Run the GRANT statement that the message names as an administrator, then `reshelve doctor`.',
  },
  CONNECTION_LOST: {
    exitCode: EXIT.failed,
    meaning: 'The connection to the server broke while the run was under way.',
    hint: 'Check the server and its error log, then run the same command again.',
  },
  PROTOCOL: {
    exitCode: EXIT.failed,
    meaning:
      'The server sent bytes that are not valid MySQL protocol (damaged on the way, or not MySQL).',
    hint: 'Check the network between here and the server, or use TLS (DB_SSL_MODE); then run the command again.',
  },
  SERVER: {
    exitCode: EXIT.failed,
    meaning: 'The server refused a statement; its own number and text are in the message.',
    hint: 'Run `reshelve doctor`; the number is explained in the MySQL error reference.',
  },
  TIMEOUT: {
    exitCode: EXIT.failed,
    meaning: 'Something did not happen within its time limit.',
    hint: 'See what the server is busy with (`SHOW PROCESSLIST`), then run the command again.',
  },
  SNAPSHOT: {
    exitCode: EXIT.failed,
    meaning: 'No consistent snapshot could be taken with the privileges there are.',
    hint: 'Run `reshelve doctor`: it prints the GRANT that makes a snapshot possible.',
  },
  SCHEMA_CHANGED: {
    exitCode: EXIT.failed,
    meaning: 'Tables were altered while they were being read, in every attempt.',
    hint: 'Run the backup when no migration runs, or grant BACKUP_ADMIN so that it can hold them off.',
  },
  UNSUPPORTED: {
    exitCode: EXIT.failed,
    meaning: 'The database holds something that this version cannot back up or restore exactly.',
    hint: 'The message names it; exclude nothing silently: report it or change the object.',
  },
  DISK_FULL: {
    exitCode: EXIT.failed,
    meaning: 'The disk of the backup directory is full.',
    hint: 'Free space there or set BACKUP_DIR to another disk (`df -h`), then run the command again.',
  },
  DIRECTORY: {
    exitCode: EXIT.failed,
    meaning: 'The backup directory cannot be created, read or written.',
    hint: 'Check owner and mode of BACKUP_DIR (`ls -ld`), then run `reshelve doctor`.',
  },
  FILE_LIMIT: {
    exitCode: EXIT.failed,
    meaning: 'The process may not open any more files or connections.',
    hint: 'Raise the limit (`ulimit -n 4096`) or lower BACKUP_THREADS, then run the command again.',
  },
  IO: {
    exitCode: EXIT.failed,
    meaning: 'Reading or writing a file failed.',
    hint: 'Check the disk (`dmesg`, `df -h`), then run the command again.',
  },
  EXTERNAL_TOOL: {
    exitCode: EXIT.failed,
    meaning: 'A program that the settings name (mysqldump) is missing, failed or was killed.',
    hint: 'Run the program by hand to see why, or remove BACKUP_ENGINE to use the built-in engine.',
  },
  RECOVERY_UNFINISHED: {
    exitCode: EXIT.failed,
    meaning:
      'A recovery of this database was interrupted; until it is resumed or rolled back nothing else may write.',
    hint: 'Run `reshelve recover --resume` to finish it, or `reshelve recover --rollback` to go back.',
  },
  DATABASE_IN_USE: {
    exitCode: EXIT.failed,
    meaning:
      'Others are connected to the database that is to be recovered, or wrote to it meanwhile; nothing was changed.',
    hint: 'Stop the application (`pm2 stop all`), then run the command again; `--wait` waits for it to end.',
  },
  PREFLIGHT: {
    exitCode: EXIT.failed,
    meaning:
      'The recovery or restore would fail half way or lose something; everything in its way is listed, and nothing was changed.',
    hint: 'Do what each line says, then run the command again; `--dry-run` shows the whole plan.',
  },
  VERIFY_FAILED: {
    exitCode: EXIT.integrity,
    meaning: 'The restored copy differs from what the backup says it holds.',
    hint: 'Do not rely on this file: run `reshelve list` for an older one and `reshelve full` for a new one.',
  },
  DAMAGED: {
    exitCode: EXIT.integrity,
    meaning: 'The backup file is damaged: its bytes are not the ones that were written.',
    hint: 'Use another copy or another backup (`reshelve list`); `reshelve inspect --check FILE` lists the damage.',
  },
  NOT_A_BACKUP: {
    exitCode: EXIT.integrity,
    meaning: 'The file is not a backup of the kind that the command needs.',
    hint: 'Run `reshelve inspect FILE` to see what it is.',
  },
  OTHER_DATABASE: {
    exitCode: EXIT.integrity,
    meaning: 'The backup is of another database than the one that is to be recovered.',
    hint: 'Run `reshelve list` for the right file; pass --other-database if this one is meant.',
  },
  FORMAT_TOO_NEW: {
    exitCode: EXIT.integrity,
    meaning:
      'The file was written by a newer version of Reshelve in a format that this one does not know.',
    hint: 'Install that version of Reshelve, or load the file with `gunzip -c FILE | mysql --binary-mode DBNAME`.',
  },
  DUMP_INCOMPLETE: {
    exitCode: EXIT.integrity,
    meaning: 'A dump made by another tool ends too early or cannot be split into statements.',
    hint: 'Take another copy of the dump; nothing was changed.',
  },
  CATALOG_DAMAGED: {
    exitCode: EXIT.integrity,
    meaning: 'backup_logs.json is not the JSON array that it should be.',
    hint: 'Run `reshelve catalog rebuild`: it makes a new one from the backups themselves.',
  },
  JOURNAL_DAMAGED: {
    exitCode: EXIT.integrity,
    meaning:
      'The journal of a recovery is damaged, so that nobody can tell how far the recovery came.',
    hint: 'Look at the database, load the emergency backup beside the journal by hand if it is needed (docs/RECOVERY.md), then move the journal away.',
  },
  REPLAY_FAILED: {
    exitCode: EXIT.integrity,
    meaning: 'A logged change does not fit the state that it should be applied to.',
    hint: 'Restore to just before the transaction that the message names (`--before-gtid`, `--to`), and see `reshelve events`.',
  },
  CHAIN_GAP: {
    exitCode: EXIT.gap,
    meaning: 'The chain of incrementals has a gap.',
    hint: 'Run `reshelve full` to start a new chain; the old one restores up to the gap.',
  },
  NO_LOG: {
    exitCode: EXIT.failed,
    meaning:
      'There is no log of changes to read: no incremental holds one, and the server gives none.',
    hint: 'Run `reshelve doctor`: it says what the binary log needs.',
  },
  NOT_UNDOABLE: {
    exitCode: EXIT.failed,
    meaning:
      'The log does not hold what is needed to take the transaction back; every reason is listed, and nothing was changed.',
    hint: 'Recover to just before it instead: `reshelve events` prints the command.',
  },
  UNDO_CONFLICT: {
    exitCode: EXIT.failed,
    meaning:
      'Rows of the transaction were changed since, or others depend on them; everything was rolled back.',
    hint: 'Run `reshelve events --table TABLE` to see what came after it, and undo that first, or recover to just before it.',
  },
  LOCKED: {
    exitCode: EXIT.locked,
    meaning: 'Another run holds the lock of this backup directory or database.',
    hint: 'Wait until it ends; the message names its owner.',
  },
  ROLLED_BACK: {
    exitCode: EXIT.rolledBack,
    meaning: 'The recovery failed and the database was put back as it was.',
    hint: 'See the reason above; `reshelve list` shows the other backups.',
  },
  ROLLBACK_FAILED: {
    exitCode: EXIT.rollbackFailed,
    meaning: 'The recovery failed and so did putting the database back.',
    hint: 'Follow the commands that the message prints.',
  },
  INTERRUPTED: {
    exitCode: EXIT.interrupted,
    meaning: 'The run was stopped by a signal; what it could not undo is named in a warning.',
    hint: 'Run the command again.',
  },
  INTERNAL: {
    exitCode: EXIT.failed,
    meaning: 'A defect in Reshelve itself.',
    hint: 'Please report it with the message and the stack.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ReshelveErrorOptions {
  /** Replaces the table's hint where the thrower knows a more precise next step. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * A failure that the user can understand and act on. `message` is lower-case without a final full
 * stop, names the file, table or host, and never holds a secret or row data.
 */
export class ReshelveError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: ReshelveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ReshelveError';
    this.code = code;
    this.hint = options.hint ?? ERROR_TABLE[code].hint;
  }

  get exitCode(): ExitCode {
    return ERROR_TABLE[this.code].exitCode;
  }
}

/** Throws a plain `Error` for a broken invariant: a defect of ours, never a condition of the world. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${invariant}`);
}
