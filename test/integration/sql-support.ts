/** Sessions and definitions for the tests that run rewritten SQL on real servers. */
import type { ServerAddress } from '../../sandbox/index.js';
import { openSession } from '../../src/mysql/connect.js';
import type { Session } from '../../src/mysql/session.js';

export const FLAVOURS = ['mysql', 'mariadb'] as const;
export type Flavour = (typeof FLAVOURS)[number];

export async function open(server: ServerAddress, database?: string): Promise<Session> {
  const { host, port, user, password } = server;
  const secret = { reveal: () => password };
  return openSession(
    { host, port, user, password: secret, tls: { mode: 'preferred' } },
    database === undefined ? {} : { database },
  );
}

/** The text of SHOW CREATE. */
export async function show(session: Session, what: string): Promise<Buffer> {
  const { rows } = await session.query(`SHOW CREATE ${what}`);
  const text = rows[0]?.find((value) => value?.toString('latin1').startsWith('CREATE ') === true);
  if (text === undefined || text === null) throw new Error(`no definition of ${what}`);
  return text;
}
