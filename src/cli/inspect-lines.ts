/** The lines that `inspect` prints. */
import type { IndexHeader } from '../archive/index-types.js';
import type {
  InspectedArchive,
  InspectedForeignDump,
  InspectedTable,
  Inspection,
} from '../operations/inspect.js';
import type { InspectedChanges } from '../operations/inspect/inspect-changes.js';
import { formatInstant, microsOf } from '../catalog/instant.js';
import { formatLocalTime } from './local-time.js';
import { formatTable, visible } from './table.js';
import { formatBytes } from './terminal-output.js';

/** The limit of the mysql client, which loads a backup without us; MariaDB's server has it too. */
const CLIENT_PACKET_BYTES_DEFAULT = 16 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;
const DAMAGES_SHOWN_MAX = 200;
const LABEL_WIDTH = 14;

export function inspectionLines(inspection: Inspection, timeZone: string): string[] {
  const { file, sizeBytes } = inspection;
  return [
    labelled('File', `${file} (${formatBytes(sizeBytes)})`),
    ...bodyLines(inspection, timeZone),
    ...verdictLines(inspection),
  ];
}

function bodyLines(inspection: Inspection, timeZone: string): string[] {
  switch (inspection.kind) {
    case 'archive':
      return archiveLines(inspection, timeZone);
    case 'dump':
      return dumpLines(inspection);
    case 'encrypted-gpg':
      return [
        labelled('Kind', `${inspection.detail}: an encrypted backup, perhaps`),
        labelled('Next', '`gpg --decrypt --output backup.sql.gz FILE`, then inspect that'),
      ];
    case 'unknown':
      return [labelled('Kind', `not a backup: ${inspection.detail}`)];
  }
}

function archiveLines(archive: InspectedArchive, timeZone: string): string[] {
  const { changes, header, members, objects, tables } = archive;
  if (header === null) return [labelled('Kind', 'backup whose index is lost')];
  const count = Object.values(members).reduce((sum, number) => sum + number, 0);
  const kinds = Object.entries(members).map(([kind, number]) => `${number} ${kind}`);
  return [
    ...headerLines(header, timeZone),
    labelled('Members', `${count} (${kinds.join(', ')})`),
    labelled('Longest', longestLine(header.totals.longestStatement)),
    ...header.warnings.map(({ code, message }) => labelled('Warning', `${code}: ${message}`)),
    '',
    ...(changes === undefined ? tableLines(tables) : changeLines(changes, timeZone)),
    ...(objects.length === 0 ? [] : ['']),
    ...objects.map(({ type, name, table, broken }) => {
      const on = table === undefined ? '' : ` on ${visible(table)}`;
      const problem = broken === undefined ? '' : ` (broken: ${visible(broken)})`;
      return `${type} ${visible(name)}${on}${problem}`;
    }),
  ];
}

function headerLines(header: IndexHeader, timeZone: string): string[] {
  const time = (text: string): string => `${formatLocalTime(new Date(text), timeZone)} ${timeZone}`;
  const { totals, coordinates } = header;
  const { binlogFile, binlogPosition, gtidSet } = coordinates;
  const position = binlogFile === null ? [] : [`${binlogFile}:${binlogPosition ?? '?'}`];
  const gtids = gtidSet === null ? [] : [`GTID set ${gtidSet === '' ? '(empty)' : gtidSet}`];
  const where = [...position, ...gtids].join(', ');
  return [
    labelled('Kind', `${header.type} backup ${header.id}, by Reshelve ${header.toolVersion}`),
    labelled(
      'Database',
      `${visible(header.database)} (${header.characterSet}, ${header.collation})`,
    ),
    labelled('Server', `${header.serverFlavour} ${header.serverVersion}${uuidOf(header)}`),
    labelled('Snapshot', time(header.snapshotAt)),
    labelled('Written', `${time(header.startedAt)} to ${time(header.finishedAt)}`),
    labelled('Consistency', `${header.consistency}: ${header.consistencyNote}`),
    labelled('Coordinates', where === '' ? 'none recorded' : where),
    labelled(
      'Content',
      `${totals.tables} tables, ${totals.rows} rows, ${formatBytes(totals.sqlBytes)} of SQL`,
    ),
  ];
}

function changeLines(changes: InspectedChanges, timeZone: string): string[] {
  const { transactions, firstAt, lastAt, gtids, tables } = changes;
  if (firstAt === null || lastAt === null) return ['No changes of this database.'];
  const show = (iso: string): string => formatInstant(microsOf(iso), timeZone);
  const span = `${show(firstAt)} to ${show(lastAt)} ${timeZone}`;
  const rows = tables.map(({ name, inserted, updated, deleted, ddl }) => [
    visible(name),
    String(inserted),
    String(updated),
    String(deleted),
    ddl ? 'changed' : '',
  ]);
  const heading = ['TableName', 'Inserted', 'Updated', 'Deleted', 'Definition'];
  return [
    labelled('Changes', `${transactions} transactions, ${span}`),
    ...(gtids === null ? [] : [labelled('GTIDs', gtids)]),
    '',
    ...formatTable([heading, ...rows], ['left', 'right', 'right', 'right', 'left']),
  ];
}

function uuidOf(header: IndexHeader): string {
  return header.serverUuid === null ? '' : ` (${header.serverUuid})`;
}

function longestLine(bytes: number): string {
  const text = `a statement of ${formatBytes(bytes)}`;
  if (bytes <= CLIENT_PACKET_BYTES_DEFAULT) return text;
  const needed = Math.ceil((bytes + 1) / MEBIBYTE);
  return (
    `${text}: loading needs max_allowed_packet of ${needed} MB or more on the server, and ` +
    `\`mysql --max-allowed-packet=${needed}M\` where that client loads it`
  );
}

function tableLines(tables: readonly InspectedTable[]): string[] {
  if (tables.length === 0) return ['No tables.'];
  const rows = tables.map((table) => [
    visible(table.name),
    String(table.rows),
    String(table.columns),
    formatBytes(table.storedBytes),
    formatBytes(table.sqlBytes),
    String(table.members),
    table.engine,
  ]);
  const heading = ['TableName', 'RowCount', 'Columns', 'Stored', 'SQL', 'Members', 'Engine'];
  const alignments = ['left', 'right', 'right', 'right', 'right', 'right', 'left'] as const;
  return formatTable([heading, ...rows], alignments);
}

function dumpLines(dump: InspectedForeignDump): string[] {
  const { origin, databases, creates } = dump;
  const version = origin.toolVersion === undefined ? '' : ` ${origin.toolVersion}`;
  const tool =
    origin.tool === 'plain' ? 'SQL of an unknown tool' : `dump by ${origin.tool}${version}`;
  const kind = dump.textOfArchive ? 'the SQL text of a Reshelve backup, without its index' : tool;
  const created = Object.entries(creates).map(([type, number]) => `${number} × ${type}`);
  return [
    labelled('Kind', kind),
    ...(origin.serverVersion === undefined ? [] : [labelled('Server', origin.serverVersion)]),
    labelled(
      'Databases',
      databases.length === 0 ? 'none named' : databases.map(visible).join(', '),
    ),
    labelled('Content', `${dump.statements} statements, ${dump.inserts} of them INSERT`),
    ...(created.length === 0 ? [] : [labelled('Creates', created.join(', '))]),
    labelled('Longest', longestLine(dump.longestStatement)),
    ...(dump.clientCommand === undefined
      ? []
      : [labelled('Note', `holds the client command ${visible(dump.clientCommand)}`)]),
    ...(origin.isSandboxed
      ? [labelled('Note', 'begins with the sandbox line of mariadb-dump')]
      : []),
  ];
}

function verdictLines(inspection: Inspection): string[] {
  const { damages, checked, kind } = inspection;
  if (damages.length > 0) {
    const shown = damages.slice(0, DAMAGES_SHOWN_MAX).map(({ message, offset, member }) => {
      const place = offset === undefined ? '' : ` at byte ${offset}`;
      const which = member === undefined ? '' : `member ${member}${place}: `;
      return `  ${which}${message}`;
    });
    const more = damages.length - shown.length;
    return [
      '',
      `✗ ${damages.length === 1 ? 'DAMAGED' : `DAMAGED in ${damages.length} places`}:`,
      ...shown,
      ...(more > 0 ? [`  and ${more} more`] : []),
      ...(checked ? [] : ['Run `reshelve inspect --check FILE` for all of it.']),
    ];
  }
  if (kind === 'archive') {
    return checked
      ? ['', `✓ Sound: every member and every row is as it was written`]
      : ['', 'Only the index was read: --check reads every byte.'];
  }
  if (kind === 'dump') return ['', '✓ Whole, as far as such a dump lets one tell'];
  return [];
}

function labelled(label: string, text: string): string {
  return `${`${label}:`.padEnd(LABEL_WIDTH)}${text}`;
}
