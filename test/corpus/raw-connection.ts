import { createConnection, type Connection, type ConnectionOptions } from 'mysql2';

/** Where a server answers; the part of mysql2's options that tests need. */
export type ServerAddress = Pick<
  ConnectionOptions,
  'host' | 'port' | 'socketPath' | 'user' | 'password'
>;

/** One value of a row: bytes or text as the driver gives it, or a number of a binary row. */
export type Cell = string | number | Buffer | null;

/**
 * A thin promise layer over one mysql2 connection. mysql2's own charset is `binary`, for which its
 * text encoding is latin1: so each char of a JavaScript string is one byte on the wire, and any
 * bytes at all can be sent. `SET NAMES` afterwards changes what the server makes of them.
 */
export class RawConnection {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async open(address: ServerAddress): Promise<RawConnection> {
    const connection = createConnection(driverOptions(address));
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    // An error between queries (server stopped) must not end the test process; the next query fails.
    connection.on('error', () => undefined);
    return new RawConnection(connection);
  }

  /** Runs one statement and forgets its result. */
  async run(sql: string | Buffer): Promise<void> {
    await this.rows(sql);
  }

  /** Runs one statement in the text protocol; every value as the bytes the server sent. */
  async rows(sql: string | Buffer): Promise<(Buffer | null)[][]> {
    const { rows } = await this.namedRows(sql);
    return rows;
  }

  /** As `rows`, with the names of the result's columns. */
  namedRows(sql: string | Buffer): Promise<{ names: string[]; rows: (Buffer | null)[][] }> {
    const text = (typeof sql === 'string' ? Buffer.from(sql, 'utf8') : sql).toString('latin1');
    return new Promise((resolve, reject) => {
      this.#connection.query(
        { sql: text, rowsAsArray: true, typeCast: (field) => field.buffer() },
        (error, rows, fields) => {
          if (error) {
            reject(error);
            return;
          }
          // A statement without a result set has no fields; its "rows" is a status object.
          const list = Array.isArray(rows) ? (rows as unknown as (Buffer | null)[][]) : [];
          const names = Array.isArray(fields) ? fields.map((field) => field.name) : [];
          resolve({ names, rows: list });
        },
      );
    });
  }

  /**
   * Runs one statement as a prepared one, so that FLOAT and DOUBLE arrive as their IEEE 754 bits,
   * and hands over row after row without keeping any.
   */
  async eachRow(sql: string, onRow: (row: readonly Cell[]) => void): Promise<number> {
    const text = Buffer.from(sql, 'utf8').toString('latin1');
    const options = {
      sql: text,
      rowsAsArray: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    };
    let count = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        // mysql2's types know only the callback form, which would keep every row.
        const command = this.#connection.execute(options);
        command.on('result', (row: unknown) => {
          count += 1;
          onRow(row as readonly Cell[]);
        });
        command.on('error', reject);
        command.on('end', resolve);
      });
    } finally {
      this.#connection.unprepare(text);
    }
    return count;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#connection.end(() => {
        resolve();
      });
    });
  }
}

/** Named one by one: addresses of the sandbox hold more than mysql2 knows, and it warns of that. */
function driverOptions(address: ServerAddress): ConnectionOptions {
  const options: ConnectionOptions = {
    charset: 'BINARY',
    connectTimeout: 20_000,
    // With session tracking mysql2 follows SET NAMES and would encode the statements itself.
    flags: ['-SESSION_TRACK'],
  };
  for (const key of ['host', 'port', 'socketPath', 'user', 'password'] as const) {
    if (address[key] !== undefined) Object.assign(options, { [key]: address[key] });
  }
  return options;
}
