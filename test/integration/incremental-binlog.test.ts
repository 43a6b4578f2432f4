/**
 * Incrementals from the binary log and recovery to a point: several writers and a list of statements of
 * every kind at the same time, backups under way all the while, the true state recorded at random
 * instants, and each of them restored by time, by GTID and by position.
 *
 * RESHELVE_INSTANTS=300 (or more) is the long form, of each variant.
 * RESHELVE_SEED gives another workload; RESHELVE_JOURNAL names a file for what the writers said.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PrivateServer } from '../../sandbox/index.js';
import { RawConnection } from '../corpus/raw-connection.js';
import { createWorkspace } from '../support/cli.js';
import type { CliResult, Workspace } from '../support/cli.js';
import { runPatiently } from '../support/patience.js';
import { initialStatements, runItem, runStatements, workload } from '../support/logged-workload.js';
import { randomTables } from '../support/random/changes.js';
import { Dice } from '../support/random/dice.js';
import { Gate } from '../support/random/gate.js';
import { recordInstant } from '../support/random/instants.js';
import type { Instant } from '../support/random/instants.js';
import { restoreInstants } from '../support/random/restores.js';
import { runWriter, Tally } from '../support/random/writer.js';
import type { Rules, WriterOptions } from '../support/random/writer.js';
import { createDatabase, privateServer, query } from '../support/servers.js';

const INSTANTS = Number(process.env['RESHELVE_INSTANTS'] ?? 10);
const SEED = Number(process.env['RESHELVE_SEED'] ?? 20_260_102);
/** So many instants on one chain before a new full backup begins the next. */
const CHAIN_INSTANTS = INSTANTS > 24 ? 12 : 5;
/** An incremental is whole up to a second before it was read. */
const CAPTURE_DELAY_MS = 1300;

/** Nothing here needs to survive a power cut. */
const FAST = [
  '--innodb-flush-log-at-trx-commit=0',
  '--sync-binlog=0',
  '--innodb-doublewrite=OFF',
  '--log-bin-trust-function-creators=1',
];

const VARIANTS = [
  ['mysql', 'with GTIDs', ['--gtid-mode=ON', '--enforce-gtid-consistency=ON']],
  [
    'mysql',
    'without GTIDs, compressed',
    [
      '--gtid-mode=OFF',
      '--enforce-gtid-consistency=OFF',
      '--binlog-transaction-compression=ON',
      '--innodb-native-foreign-keys=ON',
    ],
  ],
  ['mariadb', 'plain', []],
  ['mariadb', 'compressed', ['--log-bin-compress=1', '--log-bin-compress-min-len=10']],
] as const;

describe.each(VARIANTS)('%s, %s', (flavour, _variant, options) => {
  it('restores every recorded instant', { timeout: 20_000_000 }, async () => {
    const server = await privateServer(flavour, { options: [...FAST, ...options] });
    const scene = await Scene.prepare(server);
    const early = await query(server, 'SELECT UTC_TIMESTAMP(6) AS now');
    const instants = await scene.play();
    const proven = await scene.shop.run(['verify', '--chain']);
    expect([0, 3], proven.stderr).toContain(proven.code);
    expect(proven.stdout).toContain('Chain PROVEN');
    await restoreInstants({ server, shop: scene.shop }, instants);
    const before = `${String(early[0]?.['now'])}Z`;
    const refused = await scene.shop.run(['restore', '--to', before, '--yes']);
    expect(refused.code, refused.stderr).toBe(5);
    expect(refused.stderr).toMatch(/the nearest one that can is --to '/);
    expect(scene.tally.done.size).toBeGreaterThan(40);
    if (INSTANTS >= 60) expect(scene.tally.never(), 'statements that never worked').toEqual([]);
  });
});

class Scene {
  readonly server: PrivateServer;
  readonly shop: Workspace;
  readonly #database: string;
  readonly #other: string;
  readonly #dice = new Dice(SEED);
  readonly tally = new Tally();
  readonly #rules: Rules = { mayStayPrepared: false, mayDefine: true };
  readonly #hasTags: boolean;

  private constructor(
    server: PrivateServer,
    shop: Workspace,
    [database, other]: readonly [string, string],
    hasTags: boolean,
  ) {
    this.server = server;
    this.#hasTags = hasTags;
    this.shop = shop;
    this.#database = database;
    this.#other = other;
  }

  static async prepare(server: PrivateServer): Promise<Scene> {
    const { name } = await createDatabase(server, 'lib');
    const { name: other } = await createDatabase(server, 'other');
    await runStatements(server, other, [
      'CREATE TABLE t (a INT, b VARCHAR(20))',
      'CREATE TABLE dropped (a INT)',
      'CREATE TABLE r_side_xa (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(50))',
      'CREATE TABLE r_side (a INT PRIMARY KEY, b VARCHAR(20))',
    ]);
    await runStatements(server, name, [
      ...initialStatements(),
      'CREATE TABLE tick (n INT PRIMARY KEY)',
      ...randomTables(server.flavour === 'mysql'),
    ]);
    const shop = await createWorkspace(server, name, {
      BACKUP_RETENTION: '5000',
      BACKUP_INCREMENTAL_RETENTION: '50000',
      BACKUP_THREADS: '2',
    });
    onTestFinished(() => shop.remove());
    const mode = await query(server, "SHOW VARIABLES LIKE 'gtid_mode'");
    return new Scene(server, shop, [name, other], mode[0]?.['Value'] === 'ON');
  }

  /** The statements of every kind, writers beside them, and an instant now and then. */
  async play(): Promise<Instant[]> {
    const gate = new Gate(4);
    const writers = this.#writers(gate).map((options) =>
      runWriter(options).catch((error: unknown) => {
        gate.fail(error);
      }),
    );
    const script = await this.#openScript();
    const items = this.#items();
    const instants: Instant[] = [];
    try {
      for (let at = 0; at < INSTANTS; at += 1) {
        if (at % CHAIN_INSTANTS === 0) await this.#beginChain(gate, at > 0);
        const isDue = at % CHAIN_INSTANTS === 2 || this.#dice.chance(0.2);
        const under = isDue ? this.#underLoad(gate, ['incremental']) : undefined;
        gate.open(this.#dice.between(4, 40));
        const share = Math.ceil(items.length / (INSTANTS - at));
        try {
          for (const item of items.splice(0, share)) await this.#runScripted(gate, script, item);
        } finally {
          await under;
        }
        await gate.settled();
        instants.push(await recordInstant(this.server, this.#database, at));
      }
      await this.#closeChain(gate);
    } finally {
      gate.end();
      await Promise.all(writers);
      await script.end();
      const journal = process.env['RESHELVE_JOURNAL'];
      if (journal !== undefined) writeFileSync(journal, this.tally.journal.join('\n'));
    }
    return instants;
  }

  /**
   * On MariaDB without ALTER DATABASE: sessions that are in it keep the old default, and the log does
   * not tell which of the two a table got (docs/ARCHITECTURE.md, “Known limits”).
   */
  #items(): (string | Buffer)[] {
    const { flavour } = this.server;
    const items = workload(flavour, this.#other, this.#database);
    if (flavour === 'mysql') return items;
    return items.filter((item) => !item.toString('latin1').startsWith('ALTER DATABASE'));
  }

  #writers(gate: Gate): WriterOptions[] {
    const isMySql = this.server.flavour === 'mysql';
    const common = {
      server: this.server,
      database: this.#database,
      other: this.#other,
      gate,
      rules: this.#rules,
      tally: this.tally,
      pauseMs: 4,
      isAbroad: false,
      settings: [] as string[],
      charset: 'utf8mb4' as const,
    };
    const tagged = this.#hasTags ? ["SET SESSION gtid_next = 'AUTOMATIC:shop'"] : [];
    const domain = isMySql ? [] : ['SET SESSION gtid_domain_id = 7'];
    const compressed = isMySql ? ['SET SESSION binlog_transaction_compression = 1'] : [];
    return [
      { ...common, dice: new Dice(SEED + 1) },
      { ...common, dice: new Dice(SEED + 2), charset: 'latin1', settings: compressed },
      { ...common, dice: new Dice(SEED + 3), isAbroad: true, settings: tagged },
      { ...common, dice: new Dice(SEED + 4), isAbroad: true, charset: 'cp1251', settings: domain },
    ];
  }

  async #openScript(): Promise<RawConnection> {
    const connection = await RawConnection.open(this.server);
    await connection.run('SET NAMES utf8mb4');
    await connection.run(`USE ${this.#database}`);
    await connection.run('SET SESSION lock_wait_timeout = 2');
    return connection;
  }

  /** A statement about the whole database waits for whatever is prepared in it. */
  async #runScripted(gate: Gate, script: RawConnection, item: string | Buffer): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await runPatiently(() => runItem(script, item));
        break;
      } catch (error) {
        if (attempt > 20 || !String(error).includes('Lock wait timeout')) throw error;
        this.#rules.mayStayPrepared = false;
        gate.open(20);
      }
    }
    this.#rules.mayStayPrepared = true;
  }

  /** A full backup while all write, which closes the chain before it. */
  async #beginChain(gate: Gate, hasBefore: boolean): Promise<void> {
    this.#rules.mayStayPrepared = false;
    for (let prepared = 1; prepared > 0;) {
      gate.open(20);
      await gate.settled();
      prepared = (await query(this.server, 'XA RECOVER')).length;
    }
    this.#rules.mayDefine = this.server.flavour === 'mysql';
    await gate.settled();
    const { stdout } = await this.#underLoad(gate, ['full']);
    this.#rules.mayDefine = true;
    if (hasBefore)
      expect(stdout).toMatch(/incremental_\S+ goes on from .* to where this backup stands/);
    this.#rules.mayStayPrepared = true;
  }

  async #closeChain(gate: Gate): Promise<void> {
    await delay(CAPTURE_DELAY_MS);
    await this.#underLoad(gate, ['incremental']);
    await gate.settled();
  }

  async #underLoad(gate: Gate, args: readonly string[]): Promise<CliResult> {
    gate.open(10_000);
    const run = await this.shop.run(args);
    gate.close();
    expect([0, 3], `${args.join(' ')}: ${run.stderr}`).toContain(run.code);
    if (args[0] === 'incremental') expect(run.stdout).toContain('of the binary log');
    return run;
  }
}
