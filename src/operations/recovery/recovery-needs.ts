/** What a backup asks of the server that is to take it: read from its definitions alone. */
import type { ArchiveReader } from '../../archive/archive-reader.js';
import type { MemberEntry } from '../../archive/index-types.js';
import { readDefiner } from '../../sql/ddl-definer.js';
import type { SplitStatement } from '../../sql/statement-splitter.js';
import { identifierOf, keywordOf, operatorOf, significantTokens } from '../../sql/tokenizer.js';
import { isCreate, splitStatements } from '../load/archive-definitions.js';

export interface RecoveryNeeds {
  /** Bytes. */
  readonly longestStatement: number;
  /** SQL bytes in all. */
  readonly sqlBytes: number;
  /** `user@host`, in order of first appearance; roles without a host are left out. */
  readonly definers: readonly string[];
  /** Names after COLLATE, and after CHARACTER SET or CHARSET. */
  readonly collations: readonly string[];
  readonly characterSets: readonly string[];
  /** What error 1419 is about. */
  readonly functionsAndTriggers: number;
  /** Procedures and functions. */
  readonly routines: number;
  /** Tables that seem to have some. */
  readonly foreignKeys: number;
  /** General tablespaces that tables are in. */
  readonly tablespaces: readonly string[];
}

/** Beyond this a definition is not read for names of character sets. */
const DEFINITION_BYTES_MAX = 4 * 1024 * 1024;
const NAME = /^[a-z0-9_]{1,64}$/;

export class NeedsCollector {
  readonly #definers = new Set<string>();
  readonly #collations = new Set<string>();
  readonly #characterSets = new Set<string>();
  #longest = 0;
  #bytes = 0;
  #functionsAndTriggers = 0;
  #routines = 0;
  #foreignKeys = 0;
  readonly #tablespaces = new Set<string>();

  add(statement: SplitStatement): void {
    this.addBytes(statement.text.length, statement.text.length);
    if (!isCreate(statement) || statement.text.length > DEFINITION_BYTES_MAX) return;
    if (/^CREATE (FUNCTION|TRIGGER)/.test(statement.kind)) this.#functionsAndTriggers += 1;
    if (/^CREATE (FUNCTION|PROCEDURE)/.test(statement.kind)) this.#routines += 1;
    if (statement.text.includes(' FOREIGN KEY ')) this.#foreignKeys += 1;
    this.#addDefiner(statement);
    this.#addNames(statement);
  }

  addBytes(bytes: number, longest: number): void {
    this.#bytes += bytes;
    this.#longest = Math.max(this.#longest, longest);
  }

  addCollation(collation: string): void {
    this.#collations.add(collation);
  }

  get needs(): RecoveryNeeds {
    return {
      longestStatement: this.#longest,
      sqlBytes: this.#bytes,
      definers: [...this.#definers],
      collations: [...this.#collations],
      characterSets: [...this.#characterSets],
      functionsAndTriggers: this.#functionsAndTriggers,
      routines: this.#routines,
      foreignKeys: this.#foreignKeys,
      tablespaces: [...this.#tablespaces],
    };
  }

  #addDefiner({ text, lex, kind }: SplitStatement): void {
    if (kind === 'CREATE TABLE') return;
    const definer = readDefiner(text, { lex });
    if (definer?.host !== undefined) this.#definers.add(`${definer.user}@${definer.host}`);
  }

  #addTablespace(name: string | undefined): void {
    if (name !== undefined && !name.startsWith('innodb_')) this.#tablespaces.add(name);
  }

  /** `COLLATE x`, `COLLATE=x`, `CHARSET=x`, `CHARACTER SET x`, `TABLESPACE x`; not in strings or comments. */
  #addNames({ text, lex }: SplitStatement): void {
    const tokens = significantTokens(text, lex);
    for (const [at, token] of tokens.entries()) {
      const word = keywordOf(text, token);
      const isCharacterSet =
        word === 'CHARSET' ||
        (word === 'SET' && keywordOf(text, tokens[at - 1] ?? token) === 'CHARACTER');
      if (word !== 'COLLATE' && word !== 'TABLESPACE' && !isCharacterSet) continue;
      const next = tokens[at + 1];
      const name = operatorOf(text, next) === '=' ? tokens[at + 2] : next;
      if (name === undefined) continue;
      if (word === 'TABLESPACE') {
        this.#addTablespace(identifierOf(text, name, lex.charset));
        continue;
      }
      const found = text.subarray(name.start, name.end).toString('latin1').toLowerCase();
      if (!NAME.test(found) || found === 'default') continue;
      (isCharacterSet ? this.#characterSets : this.#collations).add(found);
    }
  }
}

/**
 * Reads every definition of the archives, also among the changes that a server logged; or of the members
 * that `isWanted` names. Throws DAMAGED.
 */
export async function readArchiveNeeds(
  readers: readonly ArchiveReader[],
  isWanted: (member: MemberEntry, reader: ArchiveReader) => boolean = () => true,
): Promise<RecoveryNeeds> {
  const collector = new NeedsCollector();
  let longestStatement = 0;
  let sqlBytes = 0;
  for (const reader of readers) {
    const { header } = reader.index;
    for (const member of reader.members()) {
      if (!isWanted(member, reader)) continue;
      longestStatement = Math.max(longestStatement, member.longestStatement);
      if (member.kind !== 'table' && member.kind !== 'object' && member.kind !== 'change') continue;
      const sql = await reader.readMember(member.number);
      // Of logged changes nearly all are rows, which name no definer.
      if (member.kind === 'change' && !sql.includes('DEFINER')) continue;
      for (const statement of splitStatements(sql)) collector.add(statement);
    }
    collector.addCollation(header.collation);
    sqlBytes += header.totals.sqlBytes;
  }
  return { ...collector.needs, longestStatement, sqlBytes };
}
