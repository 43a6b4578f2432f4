/** Which instants can be had again, for people and for `--json`. */
import type { ChainModel } from '../../catalog/chain.js';
import { formatInstant, isoOf } from '../../catalog/instant.js';
import { ReshelveError } from '../../errors.js';
import type { Context } from '../context.js';
import { readChains } from './read-chains.js';

export interface Recoverable {
  /** ISO 8601 UTC; every instant from `from` to `to`, of a single state both are equal. */
  readonly spans: readonly { readonly from: string; readonly to: string }[];
  readonly unreachable: readonly { readonly file: string; readonly reason: string }[];
  /** The same for people. */
  readonly lines: readonly string[];
}

const SPANS_SHOWN_MAX = 5;

/** Undefined where the catalog cannot be read, which is told elsewhere. */
export async function readRecoverable(
  context: Pick<Context, 'configuration' | 'catalog'>,
): Promise<Recoverable | undefined> {
  try {
    const { timeZone } = context.configuration.backup;
    return describeRecoverable(await readChains(context), timeZone);
  } catch (error) {
    if (error instanceof ReshelveError && error.code === 'CATALOG_DAMAGED') return undefined;
    throw error;
  }
}

export function describeRecoverable(chains: ChainModel, timeZone: string): Recoverable {
  const spans = chains.spans();
  const unreachable = [...chains.chains(), { unreachable: chains.orphans() }]
    .flatMap((chain) => chain.unreachable)
    .filter(({ link }) => link.type === 'incremental')
    .map(({ link, reason }) => ({ file: link.file, reason }));
  const shown = spans
    .slice(-SPANS_SHOWN_MAX)
    .map(({ from, to }) =>
      from === to
        ? `the state of ${formatInstant(to, timeZone)}`
        : `every instant from ${formatInstant(from, timeZone)} to ${formatInstant(to, timeZone)}`,
    );
  const older = spans.length - shown.length;
  return {
    spans: spans.map(({ from, to }) => ({ from: isoOf(from), to: isoOf(to) })),
    unreachable,
    lines: [
      ...(older === 0 ? [] : [`Recoverable: ${older} older states and spans`]),
      ...shown.map((text) => `Recoverable: ${text}`),
      ...unreachable.map(({ file, reason }) => `NOT RECOVERABLE: ${file}: ${reason}`),
    ],
  };
}
