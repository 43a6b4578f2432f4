/**
 * A statement that takes long is no failure: a big index takes hours, and MySQL waits for ever where it
 * cannot write its binary log. Nobody should have to guess which of the two it is.
 */
import type { ConnectionSettings } from '../mysql/connect.js';
import { openSession } from '../mysql/connect.js';
import { readProcessList } from '../mysql/process-list.js';
import { isServerError } from '../mysql/server-error.js';
import type { Session } from '../mysql/session.js';
import type { Context, Output, Warning } from './context.js';

const ASK_AFTER_MS = 30_000;
/** The same thing is not said again within this time, whichever connection it is about. */
const REPEAT_MS = 10 * 60_000;

const said = new WeakMap<Output, Map<string, number>>();

/** From now on the output says what the server is doing when it does not answer for a while. */
export function reportSlowStatements(
  { output }: Pick<Context, 'output'>,
  settings: ConnectionSettings,
  session: Session,
): void {
  session.onSlow(ASK_AFTER_MS, () => {
    void describeWait(settings, session).then((wait) => {
      report(output, session.where, wait);
    });
  });
}

interface Wait {
  /** What the server says of the connection; undefined where it cannot be asked. */
  readonly state: string | undefined;
  /** What its log says of a disk that is full. */
  readonly complaint: string | undefined;
}

async function describeWait(settings: ConnectionSettings, { threadId }: Session): Promise<Wait> {
  try {
    const observer = await openSession(settings);
    try {
      const connections = await readProcessList(observer);
      const state = connections.find(({ id }) => Number(id) === threadId)?.state;
      const complaint = isCommit(state) ? await readDiskComplaint(observer) : undefined;
      return { state, complaint };
    } finally {
      await observer.close();
    }
  } catch {
    return { state: undefined, complaint: undefined };
  }
}

/** `waiting for handler commit` is where MySQL waits for room for its binary log. */
function isCommit(state: string | undefined): boolean {
  return state !== undefined && /commit/i.test(state);
}

/** MySQL from 8.0.22 on, for who may read it: MY-000035 is said again every ten minutes. */
async function readDiskComplaint(observer: Session): Promise<string | undefined> {
  try {
    const found = await observer.value(
      `SELECT DATA FROM performance_schema.error_log
       WHERE ERROR_CODE = 'MY-000035' AND LOGGED > NOW() - INTERVAL 11 MINUTE
       ORDER BY LOGGED DESC LIMIT 1`,
    );
    return found ?? undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return undefined;
  }
}

function report(output: Output, where: string, { state, complaint }: Wait): void {
  const known = said.get(output) ?? new Map<string, number>();
  said.set(output, known);
  const key = `${where} ${state ?? ''}`;
  const now = performance.now();
  if (now - (known.get(key) ?? -Infinity) < REPEAT_MS) return;
  known.set(key, now);
  if (isCommit(state)) output.warn(waitingToCommit(where, complaint));
  else {
    const words = state === undefined || state === '' ? 'nothing about it' : `“${state}”`;
    output.line(`${where} has been at one statement for half a minute, and says ${words}`);
  }
}

function waitingToCommit(where: string, complaint: string | undefined): Warning {
  const reason =
    complaint === undefined
      ? 'look whether its disk is full'
      : `its log says: ${complaint.replace(/\. Retry in .*$/su, '')}`;
  return {
    code: 'SERVER_WAITS',
    message: `${where} has waited half a minute to commit: ${reason}; MySQL goes on by itself within a minute once there is room`,
  };
}
