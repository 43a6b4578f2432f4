/** What the catalog keeps of an archive's place in its chain, so that no file needs to be opened for it. */
import type { IndexHeader } from '../../archive/index-types.js';
import type { RecordedChain, RecordedCoordinates } from '../../catalog/records.js';

export interface ChainFields {
  readonly coordinates: RecordedCoordinates;
  /** Of an incremental: the archive before it. */
  readonly baseId?: string;
  readonly chain: RecordedChain;
}

export function chainFields(header: IndexHeader): ChainFields {
  const { chain, binlog, coordinates } = header;
  const { from } = chain ?? {};
  const unreplayable = binlog?.unreplayable ?? null;
  return {
    coordinates: recorded({ ...coordinates, serverUuid: header.serverUuid }),
    ...(chain === undefined ? {} : { baseId: chain.previousId }),
    chain: {
      fullId: chain?.fullId ?? header.id,
      method: chain?.method ?? 'full',
      snapshotAt: header.snapshotAt,
      serverFlavour: header.serverFlavour,
      ...(from === undefined ? {} : { from: recorded(from) }),
      ...(unreplayable === null ? {} : { endsBinlog: unreplayable }),
      ...(chain?.segment === undefined ? {} : { segment: chain.segment }),
      ...(chain?.merged === undefined ? {} : { merged: chain.merged }),
    },
  };
}

function recorded(place: {
  readonly binlogFile: string | null;
  readonly binlogPosition: number | null;
  readonly gtidSet: string | null;
  readonly serverUuid: string | null;
}): RecordedCoordinates {
  return {
    binlogFile: place.binlogFile,
    position: place.binlogPosition,
    gtidSet: place.gtidSet,
    serverUuid: place.serverUuid,
  };
}
