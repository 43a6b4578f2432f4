/** What a continuous capture says of itself in a small file, for `status` to read. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { streamLockName, streamStateName } from '../../catalog/names.js';
import type { Context } from '../context.js';
import { readLockState } from '../doctor/doctor-lock.js';

export interface StreamState {
  /** `waiting`: for the server, the disk or another run. */
  readonly phase: 'following' | 'waiting';
  /** Why it waits, or empty. */
  readonly reason: string;
  /** How far behind the server it reads. */
  readonly lagSeconds: number;
  /** Everything up to then is in finished files, or nothing changed. Null before the first look. */
  readonly capturedUntil: string | null;
  readonly updatedAt: string;
}

const STATE: v.GenericSchema<StreamState> = v.object({
  phase: v.picklist(['following', 'waiting'] as const),
  reason: v.string(),
  lagSeconds: v.number(),
  capturedUntil: v.nullable(v.string()),
  updatedAt: v.string(),
});

type Place = Pick<Context, 'configuration'>;

function pathOf({ configuration }: Place): string {
  return join(configuration.backup.directory, streamStateName(configuration.databaseName));
}

/** That it cannot be written is no failure of the capture. */
export async function writeStreamState(context: Place, state: StreamState): Promise<void> {
  const path = pathOf(context);
  try {
    await writeFile(`${path}.tmp`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  } catch {
    return;
  }
}

export async function removeStreamState(context: Place): Promise<void> {
  await rm(pathOf(context), { force: true }).catch(() => undefined);
  await rm(`${pathOf(context)}.tmp`, { force: true }).catch(() => undefined);
}

export interface StreamSight {
  /** A process holds the capture's lock. */
  readonly isAlive: boolean;
  readonly state: StreamState;
}

/** Undefined where no capture has left word since the last one that ended in good order. */
export async function readStreamState(
  context: Pick<Context, 'configuration' | 'now'>,
): Promise<StreamSight | undefined> {
  const { configuration, now } = context;
  const { directory } = configuration.backup;
  const name = streamLockName(configuration.databaseName);
  const lock = await readLockState(directory, now(), name);
  const state = await readState(pathOf(context));
  if (state === undefined) return undefined;
  return { isAlive: lock !== undefined && lock.liveness !== 'gone', state };
}

async function readState(path: string): Promise<StreamState | undefined> {
  try {
    const result = v.safeParse(STATE, JSON.parse(await readFile(path, 'utf8')));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
