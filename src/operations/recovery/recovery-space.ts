/** Judges the room that a recovery needs: for its emergency backup, and for the data on the server. */
import { statfs } from 'node:fs/promises';
import type { Session } from '../../mysql/session.js';
import { quoteString } from '../../sql/quote.js';
import type { Context } from '../context.js';
import type { Ability } from './recovery-abilities.js';
import type { RecoverySource } from './recovery-source.js';

/** Text-heavy data shrinks to a fifth; what is compressed already does not shrink at all. */
const COMPRESSED_SHARE_LEAST = 0.2;

export async function judgeSpace(
  context: Context,
  session: Session,
  source: RecoverySource,
): Promise<Ability[]> {
  const { databaseName, backup } = context.configuration;
  const present = await presentBytes(session, databaseName);
  return [
    ...judgeDirectory(await freeBytes(backup.directory), present.data, backup.directoryShown),
    ...(await judgeServer(context, session, source, present.data + present.index)),
  ];
}

async function presentBytes(
  session: Session,
  database: string,
): Promise<{ readonly data: number; readonly index: number }> {
  const [record] = await session.records(
    `SELECT COALESCE(SUM(DATA_LENGTH), 0) AS data, COALESCE(SUM(INDEX_LENGTH), 0) AS indexes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteString(database)}`,
  );
  return { data: Number(record?.['data'] ?? 0), index: Number(record?.['indexes'] ?? 0) };
}

function judgeDirectory(free: number | undefined, data: number, shown: string): Ability[] {
  if (free === undefined) return [];
  const text = `${shown} has ${megabytes(free)} free for the emergency backup of ${megabytes(data)} of data`;
  if (free < data * COMPRESSED_SHARE_LEAST) {
    return [
      { level: 'refused-unless-forced', text: `${text}: too little`, next: `df -h ${shown}` },
    ];
  }
  return [{ level: free < data ? 'warning' : 'ok', text }];
}

/** The data directory can be looked at only where the server runs on this very machine. */
async function judgeServer(
  context: Context,
  session: Session,
  source: RecoverySource,
  presentTotal: number,
): Promise<Ability[]> {
  const needed = source.needs.sqlBytes;
  const directory = await localDataDirectory(context, session);
  const free = directory === undefined ? undefined : await freeBytes(directory);
  if (free === undefined) {
    return [
      {
        level: 'note',
        text:
          `the server's free disk space is not known from here: the backup is ${megabytes(needed)} of SQL, ` +
          `and the present tables, which are dropped first, take ${megabytes(presentTotal)}`,
      },
    ];
  }
  const text = `the server's disk has ${megabytes(free)} free, and ${megabytes(presentTotal)} more once the present tables are dropped, for ${megabytes(needed)} of SQL`;
  if (free + presentTotal < needed) {
    return [{ level: 'refused-unless-forced', text: `${text}: too little`, next: 'df -h' }];
  }
  return [{ level: 'ok', text }];
}

/** Undefined where the server runs elsewhere. */
export async function localDataDirectory(
  { configuration }: Context,
  session: Session,
): Promise<string | undefined> {
  const { host, socketPath } = configuration.server;
  const isLocal =
    socketPath !== undefined || host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (!isLocal) return undefined;
  return (await session.value('SELECT @@GLOBAL.datadir')) ?? undefined;
}

/** Undefined where it cannot be looked at: another user's directory, say. */
export async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

export function megabytes(bytes: number): string {
  return bytes < 1024 ** 3
    ? `${(bytes / 1024 ** 2).toFixed(1)} MB`
    : `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
