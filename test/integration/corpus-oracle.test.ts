/**
 * Goal: the corpus loads on real servers, and its judge is worth trusting. Method: every least
 * alteration of a small database must be reported, in words that name it, and nothing else may be.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServerAddress } from '../../sandbox/index.js';
import {
  MARIADB_ALTERATIONS,
  MARIADB_SPECIMENS,
  MYSQL_ALTERATIONS,
  MYSQL_SPECIMENS,
  SHARED_ALTERATIONS,
  SPECIMEN_SCHEMA,
  type Alteration,
} from '../corpus/alterations.js';
import {
  captureState,
  compareStates,
  loadCorpus,
  mariadbBeyondText,
  mariadbCorpus,
  mysqlBeyondText,
  mysqlCorpus,
  ODD_DATABASE_NAME,
  type CorpusTheme,
  type DatabaseState,
} from '../corpus/index.js';
import { CORPUS_SQL_MODE } from '../corpus/load.js';
import { RawConnection } from '../corpus/raw-connection.js';
import { quoteName } from '../corpus/sql-text.js';
import { theme } from '../corpus/step.js';
import { sharedServer } from '../support/servers.js';

const FLAVOURS = [
  ['mysql', mysqlCorpus, MYSQL_SPECIMENS, MYSQL_ALTERATIONS],
  ['mariadb', mariadbCorpus, MARIADB_SPECIMENS, MARIADB_ALTERATIONS],
] as const;

/** Those whose definitions name the database, or could, and hold nothing of chance or the clock. */
const THEMES_OF_NAMES = new Set([
  ...['foreign-keys', 'partitions', 'modern', 'views', 'broken-views', 'routines', 'triggers'],
  ...['events', 'sequences', 'engines', 'checks', 'keys'],
]);

async function dropAtEnd(server: ServerAddress, database: string): Promise<() => Promise<void>> {
  const connection = await RawConnection.open(server);
  await connection.end();
  return async () => {
    const again = await RawConnection.open(server);
    await again.run('SET NAMES utf8mb4');
    await again.run(`DROP DATABASE IF EXISTS ${quoteName(database)}`);
    await again.end();
  };
}

describe.each(FLAVOURS)('corpus and oracle on %s', (flavour, corpus, specimens, alterations) => {
  let server: ServerAddress;

  beforeAll(async () => {
    server = await sharedServer(flavour);
  });

  describe('the whole corpus', () => {
    const database = `corpus_${flavour}`;
    let state: DatabaseState;

    beforeAll(async () => {
      const report = await loadCorpus(server, database, corpus);
      expect(report.refused).toEqual([]);
      state = await captureState(server, database);
      return dropAtEnd(server, database);
    });

    it('captures the same twice', async () => {
      expect(compareStates(state, await captureState(server, database))).toEqual([]);
    });

    it('holds rows in every table that has any to hold', () => {
      const tables = [...state.objects].filter(([key]) => key.startsWith('table '));
      const filled = tables.filter(([, { rows }]) => (rows?.count ?? 0) > 0);
      expect(tables.length).toBeGreaterThan(250);
      expect(filled.length / tables.length).toBeGreaterThan(0.9);
    });

    it('finds the same under another, odd database name', async () => {
      const themes = corpus.filter(({ name }) => THEMES_OF_NAMES.has(name));
      const kept = await loadedState(server, `plain_${flavour}`, themes);
      const renamed = await loadedState(server, ODD_DATABASE_NAME, themes);
      const differences = compareStates(kept, renamed);
      // These have the database's name as an alias or in a string too, so they do differ.
      expect(differences.filter((text) => !/^\w+ \w+_(?:alias_|qualified)/u.test(text))).toEqual(
        [],
      );
    });
  });

  it('loads what no dump of text can bring back, and captures it', async () => {
    const beyond = flavour === 'mysql' ? mysqlBeyondText : mariadbBeyondText;
    const state = await loadedState(server, `beyond_${flavour}`, beyond);
    expect(state.objects.size).toBeGreaterThan(1);
  });

  describe('single alterations', () => {
    const database = `specimen_${flavour}`;
    let connection: RawConnection;
    let before: DatabaseState;

    beforeAll(async () => {
      await loadCorpus(server, database, [theme('specimen', [...SPECIMEN_SCHEMA, ...specimens])]);
      before = await captureState(server, database);
      connection = await RawConnection.open(server);
      return async () => {
        await connection.end();
        await (
          await dropAtEnd(server, database)
        )();
      };
    });

    it.each([...alterations, ...SHARED_ALTERATIONS].map((one) => [one.what, one] as const))(
      'sees %s',
      async (_what, alteration: Alteration) => {
        await connection.run('SET NAMES utf8mb4');
        await connection.run(`SET SESSION sql_mode = '${CORPUS_SQL_MODE}', time_zone = '+00:00'`);
        await connection.run(`USE ${quoteName(database)}`);
        for (const sql of alteration.sql) await connection.run(sql);
        const after = await captureState(server, database);
        const differences = compareStates(before, after);
        before = after;
        expect(differences.join('\n')).toMatch(new RegExp(alteration.says.source, 'mu'));
        expect(compareStates(after, after)).toEqual([]);
      },
    );
  });
});

async function loadedState(
  server: ServerAddress,
  database: string,
  themes: readonly CorpusTheme[],
): Promise<DatabaseState> {
  const drop = await dropAtEnd(server, database);
  try {
    await loadCorpus(server, database, themes);
    return await captureState(server, database);
  } finally {
    await drop();
  }
}
