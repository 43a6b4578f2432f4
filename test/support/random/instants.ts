/** The true state of a database at an instant, by the judge of the corpus, and the instant's names. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PrivateServer } from '../../../sandbox/index.js';
import type { DatabaseState, ObjectState } from '../../corpus/oracle.js';
import { captureState, compareStates } from '../../corpus/oracle.js';
import { query } from '../servers.js';

export interface Instant {
  /** As `--to` takes it. */
  readonly time: string;
  /** Of the last transaction; undefined where the server has none. */
  readonly gtid: string | undefined;
  /** Of the first transaction behind it. */
  readonly nextGtid: string | undefined;
  readonly position: string;
  readonly state: DatabaseState;
}

/** The state and what it is called, while nobody else commits. The database has a table `tick`. */
export async function recordInstant(
  server: PrivateServer,
  database: string,
  number: number,
): Promise<Instant> {
  await query(server, `INSERT INTO tick VALUES (${2 * number})`, database);
  const gtid = await newestGtid(server);
  const isMySql = server.flavour === 'mysql';
  await delay(isMySql ? 3 : await untilNextSecond(server));
  const [clock] = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
  const [status] = await query(server, isMySql ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  const state = await captureState(server, database);
  await delay(3);
  // Whatever a writer says of its own clock, this one comes first.
  await query(server, `INSERT INTO tick VALUES (${2 * number + 1})`, database);
  return {
    time: `${String(clock?.['now'])}Z`,
    gtid,
    nextGtid: await newestGtid(server),
    position: `${String(status?.['File'])}:${String(status?.['Position'])}`,
    state,
  };
}

/** MariaDB logs commit times in whole seconds: a commit counts as made at the end of its own. */
async function untilNextSecond(server: PrivateServer): Promise<number> {
  const [clock] = await query(server, 'SELECT MICROSECOND(SYSDATE(6)) AS micros');
  return 1005 - Number(clock?.['micros']) / 1000;
}

async function newestGtid(server: PrivateServer): Promise<string | undefined> {
  const isMySql = server.flavour === 'mysql';
  const [row] = await query(
    server,
    `SELECT ${isMySql ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_pos'} AS executed`,
  );
  const executed = String(row?.['executed']).replaceAll('\n', '');
  if (!isMySql) return executed.split(',').find((gtid) => gtid.startsWith('0-'));
  const [, uuid, , newest] = UNTAGGED.exec(executed) ?? [];
  return uuid === undefined || newest === undefined ? undefined : `${uuid}:${newest}`;
}

/** The last number of the first server's GTIDs without a tag. */
const UNTAGGED = /^([0-9a-f-]{36}):((?:\d+(?:-\d+)?:)*)(?:\d+-)?(\d+)(?=$|,|:[a-z_])/;

/** Tables of the random workload: a rolled back insert uses a number up, and no log knows of it. */
const COUNTER_MAY_DIFFER = 'table r_';

/** In words; what the restored one may lack is counters beyond what was committed. */
export function compareInstants(truth: DatabaseState, restored: DatabaseState): string[] {
  return [
    ...compareStates(withoutMoods(truth), withoutMoods(restored)),
    ...[...truth.objects].flatMap(([key, object]) => {
      const [before, after] = [counterOf(object), counterOf(restored.objects.get(key))];
      return after > before ? [`${key}: the counter ${before} became ${after}`] : [];
    }),
  ];
}

/**
 * Of a column that CREATE … SELECT made, servers log character set and collation, and a replica shows
 * both. What they are, information_schema says of each column.
 */
const SPELLED = / (?:CHARACTER SET|COLLATE) \w+/g;
const COUNTER = /AUTO_INCREMENT=(\d+) ?/;

function counterOf(object: ObjectState | undefined): number {
  const created = object?.facts.get('Create Table') ?? '';
  return Number(COUNTER.exec(created)?.[1] ?? 1);
}

/** A copy that will go on to a later instant has no events yet. */
export function withoutEvents(state: DatabaseState): DatabaseState {
  const objects = [...state.objects].filter(([key]) => !key.startsWith('event '));
  return { ...state, objects: new Map(objects) };
}

function withoutMoods(state: DatabaseState): DatabaseState {
  const objects = [...state.objects].map(([key, object]): [string, ObjectState] => {
    if (!key.startsWith(COUNTER_MAY_DIFFER)) return [key, object];
    const facts = [...object.facts].flatMap(([name, value]): [string, string][] =>
      name.endsWith('AUTO_INCREMENT')
        ? []
        : [[name, value.replace(COUNTER, '').replaceAll(SPELLED, '')]],
    );
    return [key, { ...object, facts: new Map(facts) }];
  });
  return { ...state, objects: new Map(objects) };
}
