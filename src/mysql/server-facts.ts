/** What kind of server this is. */

export type Flavour = 'mysql' | 'mariadb';

export interface ServerFacts {
  readonly flavour: Flavour;
  /** As the server says it, for example `9.7.4` or `10.11.19-MariaDB-0+deb12u1-log`. */
  readonly version: string;
  /** [major, minor, patch]. */
  readonly numbers: readonly [number, number, number];
}

/** Understands `VERSION()`; MariaDB may put `5.5.5-` before its own number. */
export function parseServerVersion(version: string): ServerFacts {
  const flavour: Flavour = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  const own = flavour === 'mariadb' ? version.replace(/^5\.5\.5-/, '') : version;
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(own);
  const part = (at: number): number => Number(match?.[at] ?? 0);
  return { flavour, version, numbers: [part(1), part(2), part(3)] };
}

export function isAtLeast(facts: ServerFacts, ...wanted: readonly number[]): boolean {
  for (const [at, number] of wanted.entries()) {
    const own = facts.numbers[at] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
