/** Which transactions of the same source lie next to one that is not there. */

/** What is told apart by its number alone: `uuid` or `uuid:tag` of MySQL, the domain of MariaDB. */
interface GtidParts {
  readonly source: string;
  readonly number: bigint;
}

export interface GtidNeighbours {
  readonly before?: string;
  readonly after?: string;
}

/** Takes GTIDs one by one and keeps the two that are nearest to `wanted`, in memory of a fixed size. */
export class NearestGtids {
  readonly #wanted: GtidParts | undefined;
  #before: { readonly gtid: string; readonly number: bigint } | undefined;
  #after: { readonly gtid: string; readonly number: bigint } | undefined;

  constructor(wanted: string) {
    this.#wanted = partsOf(wanted);
  }

  add(gtid: string): void {
    const parts = partsOf(gtid);
    const wanted = this.#wanted;
    if (parts === undefined || wanted?.source !== parts.source) return;
    const { number } = parts;
    if (number < wanted.number && number > (this.#before?.number ?? -1n)) {
      this.#before = { gtid, number };
    }
    if (number > wanted.number && (this.#after === undefined || number < this.#after.number)) {
      this.#after = { gtid, number };
    }
  }

  get neighbours(): GtidNeighbours {
    return {
      ...(this.#before && { before: this.#before.gtid }),
      ...(this.#after && { after: this.#after.gtid }),
    };
  }
}

function partsOf(gtid: string): GtidParts | undefined {
  const ofMySql = /^(.+):(\d{1,20})$/u.exec(gtid);
  if (ofMySql !== null) return { source: ofMySql[1] ?? '', number: BigInt(ofMySql[2] ?? 0) };
  const ofMariaDb = /^(\d{1,10})-\d{1,10}-(\d{1,20})$/u.exec(gtid);
  if (ofMariaDb === null) return undefined;
  return { source: ofMariaDb[1] ?? '', number: BigInt(ofMariaDb[2] ?? 0) };
}
