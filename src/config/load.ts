/** Reads and validates all settings at once. */
import { availableParallelism } from 'node:os';
import { normalize, parse, resolve } from 'node:path';
import { databaseNameProblem } from '../catalog/database-name.js';
import { ReshelveError } from '../errors.js';
import type {
  BackupConfiguration,
  Configuration,
  StreamConfiguration,
  WebConfiguration,
} from './configuration.js';
import { cutSecretWarnings, spellingWarnings } from './misspellings.js';
import { Secret } from './secret.js';
import { readServer, readVerifyServer } from './server-settings.js';
import { SettingReader } from './setting-reader.js';
import { readDotEnv, Sources } from './sources.js';
import type { Variables } from './sources.js';
import * as values from './values.js';

export interface LoadOptions {
  /** The directory of .env; relative paths in settings start here. */
  readonly cwd: string;
  /** Usually `process.env`; wins over .env. */
  readonly environment: Variables;
}

const COUNT_MAX = 100_000;
const THREADS_MAX = 16;
const THREADS_UNLESS_SET_MAX = 4;
const LOCK_WAIT_SECONDS_MAX = 86_400;
const SEGMENT_SECONDS_MAX = 3600;
const RATE_WINDOW_MS_MAX = 86_400_000;

/** Throws CONFIG with every mistake in its message, one a line. Secrets are never shown. */
export function loadConfiguration({ cwd, environment }: LoadOptions): Configuration {
  const problems: string[] = [];
  const dotEnv = readDotEnv(cwd, problems);
  const sources = new Sources(cwd, environment, dotEnv.variables, problems);
  const reader = new SettingReader(sources, cwd);
  const server = readServer(reader);
  const configuration: Configuration = {
    server,
    databaseName: reader.required('DB_NAME', databaseName),
    ...readVerifyServer(reader, server),
    backup: readBackup(reader, cwd),
    web: readWeb(reader),
    warnings: [
      ...spellingWarnings(Object.keys(dotEnv.variables), (name) => sources.isSet(name)),
      ...cutSecretWarnings(dotEnv.text),
    ],
  };
  if (problems.length > 0) throw new ReshelveError('CONFIG', summary(problems));
  return configuration;
}

function summary(problems: readonly string[]): string {
  if (problems.length === 1) return problems.join('');
  return `${problems.length} settings are not valid:\n${problems.map((line) => `  ${line}`).join('\n')}`;
}

function databaseName(text: string): values.Reading<string> {
  const problem = databaseNameProblem(text);
  if (problem === undefined) return values.oneLine('a database name')(text);
  const [, expected = 'a database name'] = /^expected (.*) but found/.exec(problem) ?? [];
  return { expected };
}

function readBackup(reader: SettingReader, cwd: string): BackupConfiguration {
  const directory = reader.required('BACKUP_DIR', backupDirectory);
  const count = values.wholeNumber(1, COUNT_MAX);
  const cronExpression = values.oneLine('a cron expression');
  const lockWaitSeconds = values.wholeNumber(0, LOCK_WAIT_SECONDS_MAX);
  return {
    directory: resolve(cwd, directory),
    directoryShown: normalize(directory).replace(/(?<=.)\/+$/, ''),
    retention: reader.required('BACKUP_RETENTION', count),
    incrementalRetention: reader.required('BACKUP_INCREMENTAL_RETENTION', count),
    emergencyRetention: reader.required('BACKUP_EMERGENCY_RETENTION', count),
    beforeRetentionDays: reader.required(
      'BACKUP_BEFORE_RETENTION_DAYS',
      values.wholeNumber(0, COUNT_MAX),
    ),
    cronSchedule: reader.required('BACKUP_CRON_SCHEDULE', cronExpression),
    incrementalCronSchedule: reader.optional('BACKUP_INCREMENTAL_CRON_SCHEDULE', cronExpression),
    stream: readStream(reader),
    timeZone: reader.optional('BACKUP_TIMEZONE', values.timeZone) ?? systemTimeZone(),
    threads:
      reader.optional('BACKUP_THREADS', values.wholeNumber(1, THREADS_MAX)) ??
      Math.min(availableParallelism(), THREADS_UNLESS_SET_MAX),
    compressionLevel: reader.required('BACKUP_COMPRESSION_LEVEL', values.wholeNumber(1, 9)),
    engine: reader.required('BACKUP_ENGINE', values.oneOf(['native', 'mysqldump'])),
    mysqldumpPath: reader.required('BACKUP_MYSQLDUMP_PATH', values.path),
    criticalTables: reader.optional('BACKUP_CRITICAL_TABLES', values.tableList) ?? [],
    lockWaitMs: reader.required('BACKUP_LOCK_WAIT_SECONDS', lockWaitSeconds) * 1000,
  };
}

function readStream(reader: SettingReader): StreamConfiguration {
  const segment = values.wholeNumber(1, SEGMENT_SECONDS_MAX);
  const retry = values.wholeNumber(1, LOCK_WAIT_SECONDS_MAX);
  return {
    isOn: reader.required('BACKUP_STREAM', values.oneOf(['on', 'off'])) === 'on',
    segmentMs: reader.required('BACKUP_STREAM_SEGMENT_SECONDS', segment) * 1000,
    retryMs: reader.required('BACKUP_STREAM_RETRY_SECONDS', retry) * 1000,
  };
}

function readWeb(reader: SettingReader): WebConfiguration {
  const jwtSecret = reader.optional('JWT_SECRET', (text) => ({ value: new Secret(text) }));
  const jwtExpiresInSeconds = reader.optional('JWT_EXPIRES_IN', values.duration);
  const window = values.wholeNumber(1, RATE_WINDOW_MS_MAX);
  const rateLimitWindowMs = reader.optional('RATE_LIMIT_WINDOW_MS', window);
  const rateLimitMax = reader.optional('RATE_LIMIT_MAX', values.wholeNumber(1, COUNT_MAX));
  return {
    ...(jwtSecret === undefined ? {} : { jwtSecret }),
    ...(jwtExpiresInSeconds === undefined ? {} : { jwtExpiresInSeconds }),
    ...(rateLimitWindowMs === undefined ? {} : { rateLimitWindowMs }),
    ...(rateLimitMax === undefined ? {} : { rateLimitMax }),
  };
}

/** The root of the file system would get mode 0700 and a catalog of its own: surely a mistake. */
function backupDirectory(text: string): values.Reading<string> {
  const path = values.path(text);
  if (!('value' in path) || parse(resolve('/', path.value)).base !== '') return path;
  return text.startsWith('/') ? { expected: 'a directory below the root' } : path;
}

/** UTC where the machine's own zone has no name that can be used again. */
function systemTimeZone(): string {
  const zone = values.timeZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
  return 'value' in zone ? zone.value : 'UTC';
}
