/** One of several who write into the same database at the same time, each in a way of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Flavour, ServerAddress } from '../../../sandbox/index.js';
import { RawConnection } from '../../corpus/raw-connection.js';
import { loneChange, randomChange } from './changes.js';
import type { NamedStatement } from './changes.js';
import { randomDefinition, randomSetting } from './definitions.js';
import type { Dice } from './dice.js';
import type { Gate } from './gate.js';

/** What a statement needs to know of whom it is written for. */
export interface Writer {
  readonly database: string;
  readonly isMySql: boolean;
  /** Text beyond ASCII that the writer's character set has. */
  readonly comment: string;
  /** A name in the database, from where the writer stands. */
  readonly name: (name: string) => string;
  /** A name in the database beside. */
  readonly elsewhere: (name: string) => string;
}

export interface WriterOptions {
  readonly server: ServerAddress & { readonly flavour: Flavour };
  readonly database: string;
  readonly other: string;
  /** The default database is the other one, and names say where they are. */
  readonly isAbroad: boolean;
  readonly charset: 'utf8mb4' | 'latin1' | 'cp1251';
  /** Said once, in the beginning. */
  readonly settings: readonly string[];
  readonly dice: Dice;
  readonly gate: Gate;
  /** Between transactions, so that a slow backup does not meet thousands of them. */
  readonly pauseMs: number;
  readonly rules: Rules;
  /** What came of every statement: the proof that the workload is one. */
  readonly tally: Tally;
}

/** May change while writers write. */
export interface Rules {
  /** Transactions may stay prepared for long; not over a full backup, which cannot see them. */
  mayStayPrepared: boolean;
  /** MariaDB's full backups do not hold definitions off, and give up where they never rest. */
  mayDefine: boolean;
}

/** How often each kind of statement was done and how often refused. */
export class Tally {
  readonly done = new Map<string, number>();
  readonly refused = new Map<string, string>();
  /** For whoever looks for the reason of a failure. */
  readonly journal: string[] = [];

  add(kind: string, sql: string, refusal?: string): void {
    if (refusal === undefined) this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
    else this.refused.set(kind, `${refusal}: ${sql.slice(0, 300)}`);
    const outcome = refusal?.slice(0, 160) ?? 'done';
    this.journal.push(`${new Date().toISOString()} ${sql.slice(0, 700)} -- ${outcome}`);
  }

  /** Kinds of which none was ever done. */
  never(): string[] {
    return [...this.refused].flatMap(([kind, why]) =>
      this.done.has(kind) ? [] : [`${kind}: ${why}`],
    );
  }
}

const COMMENTS = {
  utf8mb4: 'größer 漢字 😀',
  latin1: 'na\xefve \xfc',
  cp1251: '\xef\xf0',
} as const;

/** Writes until the gate ends it. */
export async function runWriter(options: WriterOptions): Promise<void> {
  const connection = await RawConnection.open(options.server);
  try {
    await new RandomWriter(options, connection).run();
  } finally {
    await connection.end();
  }
}

class RandomWriter {
  readonly #options: WriterOptions;
  readonly #connection: RawConnection;
  readonly #writer: Writer;
  /** Prepared by us and not yet decided. */
  readonly #prepared: string[] = [];
  #xids = 0;

  constructor(options: WriterOptions, connection: RawConnection) {
    this.#options = options;
    this.#connection = connection;
    const { database, other, isAbroad, server, charset } = options;
    this.#writer = {
      database,
      isMySql: server.flavour === 'mysql',
      comment: COMMENTS[charset],
      name: (name) => (isAbroad ? `${database}.${name}` : name),
      elsewhere: (name) => (isAbroad ? name : `${other}.${name}`),
    };
  }

  async run(): Promise<void> {
    const { database, other, isAbroad, charset, settings, gate, dice, pauseMs } = this.#options;
    const start = [
      `SET NAMES ${charset}`,
      `USE ${isAbroad ? other : database}`,
      'SET SESSION lock_wait_timeout = 1',
      'SET SESSION innodb_lock_wait_timeout = 1',
      ...settings,
    ];
    for (const statement of start) await this.#connection.run(statement);
    while (await gate.takeToken()) {
      await this.#write(dice);
      if (!this.#options.rules.mayStayPrepared) await this.#decideAll();
      if (pauseMs > 0) await delay(pauseMs);
    }
    await this.#decideAll();
  }

  async #decideAll(): Promise<void> {
    while (this.#prepared.length > 0) await this.#decide();
  }

  async #write(dice: Dice): Promise<void> {
    const at = dice.below(100);
    if (at < 30) await this.#say(randomChange(dice, this.#writer));
    else if (at < 36) await this.#say(loneChange(dice, this.#writer));
    else if (at < 66) await this.#transaction(dice);
    else if (at < 70) await this.#say(randomSetting(dice, this.#writer));
    else if (at < 76) await this.#xa(dice);
    else if (this.#options.rules.mayDefine) await this.#define(dice);
  }

  async #transaction(dice: Dice): Promise<void> {
    await this.#send('begin', 'START TRANSACTION');
    for (let left = dice.between(1, 6); left > 0; left -= 1) {
      await this.#say(randomChange(dice, this.#writer));
      if (dice.chance(0.2)) await this.#send('savepoint', `SAVEPOINT s${dice.below(2)}`);
      if (dice.chance(0.12)) await this.#send('rollback to', `ROLLBACK TO s${dice.below(2)}`);
      if (dice.chance(0.05)) await this.#options.gate.pass();
    }
    await this.#send('end', dice.chance(0.25) ? 'ROLLBACK' : 'COMMIT');
  }

  async #xa(dice: Dice): Promise<void> {
    const { mayStayPrepared } = this.#options.rules;
    if (this.#prepared.length > 0 && dice.chance(0.6)) await this.#decide();
    else if (mayStayPrepared && dice.chance(0.5)) await this.#prepareAndLeave(dice);
    else {
      const xid = this.#newXid(dice);
      await this.#send('xa start', `XA START ${xid}`);
      for (let left = dice.between(1, 3); left > 0; left -= 1) {
        await this.#say(randomChange(dice, this.#writer));
      }
      await this.#send('xa end', `XA END ${xid}`);
      if (!mayStayPrepared || dice.chance(0.3)) {
        await this.#send('xa one phase', `XA COMMIT ${xid} ONE PHASE`);
        return;
      }
      const isPrepared = await this.#send('xa prepare', `XA PREPARE ${xid}`);
      const verb = isPrepared ? dice.pick(['COMMIT', 'ROLLBACK']) : 'ROLLBACK';
      await this.#send('xa decide', `XA ${verb} ${xid}`);
    }
  }

  #newXid(dice: Dice): string {
    this.#xids += 1;
    const own = `${this.#options.database.slice(-4)}-${dice.below(1e6)}-${this.#xids}`;
    return `'${own}'${dice.chance(0.3) ? ",'b',5" : ''}`;
  }

  /** On a connection of its own, and in rows that nobody waits for: so it may stay for long. */
  async #prepareAndLeave(dice: Dice): Promise<void> {
    const { name, elsewhere } = this.#writer;
    const xid = this.#newXid(dice);
    const connection = await RawConnection.open(this.#options.server);
    try {
      for (const [kind, sql] of [
        ['xa long', `USE ${this.#options.isAbroad ? this.#options.other : this.#options.database}`],
        ['xa long', `XA START ${xid}`],
        ['xa long', `INSERT INTO ${name('r_xa')} (v) VALUES (REPEAT('x', ${dice.below(50)}))`],
        ['xa long', `INSERT INTO ${elsewhere('r_side_xa')} (v) VALUES ('beside')`],
        ['xa long', `INSERT INTO ${name('r_xa')} (v) VALUES ('second'), ('third')`],
        ['xa long', `XA END ${xid}`],
      ] as const) {
        await this.#send(kind, sql, connection);
      }
      const isPrepared = await this.#send('xa stay', `XA PREPARE ${xid}`, connection);
      if (isPrepared) this.#prepared.push(xid);
    } finally {
      await connection.end();
    }
  }

  async #decide(): Promise<void> {
    const xid = this.#prepared.shift() ?? '';
    const verb = this.#options.dice.pick(['COMMIT', 'COMMIT', 'ROLLBACK']);
    await this.#send('xa decide later', `XA ${verb} ${xid}`);
  }

  async #define(dice: Dice): Promise<void> {
    const { kind, statements } = randomDefinition(dice, this.#writer);
    for (const sql of statements) await this.#send(kind, sql);
  }

  #say({ kind, sql }: NamedStatement, connection?: RawConnection): Promise<boolean> {
    return this.#send(kind, sql, connection);
  }

  /** Refusals are part of it: writers collide. */
  async #send(kind: string, sql: string, connection = this.#connection): Promise<boolean> {
    const { tally, charset } = this.#options;
    try {
      await connection.run(charset === 'utf8mb4' ? sql : Buffer.from(sql, 'latin1'));
      tally.add(kind, sql);
      return true;
    } catch (error) {
      tally.add(kind, sql, String(error));
      return false;
    }
  }
}
