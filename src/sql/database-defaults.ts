/** What CREATE DATABASE and ALTER DATABASE say of a database besides its name. */
import { ReshelveError } from '../errors.js';
import { quoteString } from './quote.js';

/** The header of an archive has these fields too. */
export interface DatabaseDefaults {
  readonly characterSet: string;
  readonly collation: string;
  /** Whether tables are encrypted that do not say it. MySQL from 8.0.16 on. */
  readonly defaultEncryption?: boolean;
  /** Empty where there is none. MariaDB from 10.5 on. */
  readonly databaseComment?: string;
}

/** The defaults among the fields of an archive's header. */
export function defaultsOf(header: DatabaseDefaults): DatabaseDefaults {
  const { characterSet, collation, defaultEncryption, databaseComment } = header;
  return {
    characterSet,
    collation,
    ...(defaultEncryption !== undefined && { defaultEncryption }),
    ...(databaseComment !== undefined && { databaseComment }),
  };
}

export function withoutEncryption(defaults: DatabaseDefaults): DatabaseDefaults {
  const { characterSet, collation, databaseComment } = defaults;
  return { characterSet, collation, ...(databaseComment !== undefined && { databaseComment }) };
}

/** Whether `found` is what `wanted` says; of what that leaves open anything is. */
export function hasDefaults(found: DatabaseDefaults, wanted: DatabaseDefaults): boolean {
  const { collation, defaultEncryption, databaseComment } = wanted;
  return (
    found.collation === collation &&
    (defaultEncryption === undefined || found.defaultEncryption === defaultEncryption) &&
    (databaseComment === undefined || found.databaseComment === databaseComment)
  );
}

/**
 * For after `CREATE DATABASE name` or `ALTER DATABASE name`: what one kind of server does not know stands
 * in comments that only the other executes. Throws DAMAGED where a name is none.
 */
export function defaultsClause(defaults: DatabaseDefaults): string {
  const { characterSet, collation, defaultEncryption, databaseComment } = defaults;
  assertCollationName(characterSet);
  assertCollationName(collation);
  const words = [`CHARACTER SET ${characterSet} COLLATE ${collation}`];
  if (defaultEncryption !== undefined) {
    words.push(`/*!80016 DEFAULT ENCRYPTION='${defaultEncryption ? 'Y' : 'N'}' */`);
  }
  if (databaseComment !== undefined) {
    // The end of a comment within the text would end the one around it for some clients.
    const text = quoteString(databaseComment).replaceAll('*/', '*\\/');
    words.push(`/*M!100500 COMMENT ${text} */`);
  }
  return words.join(' ');
}

/** Names of character sets and collations come from a file and go into SQL. */
function assertCollationName(name: string): void {
  if (!/^[a-z0-9_]{1,64}$/i.test(name)) {
    throw new ReshelveError('DAMAGED', `expected a collation but found ${JSON.stringify(name)}`);
  }
}
