/** Tells from its first bytes which tool wrote a dump, and from its last whether it is whole. */

export type DumpTool =
  | 'mysqldump'
  | 'mariadb-dump'
  | 'mysqlpump'
  | 'mydumper'
  /** All files of mydumper in one stream; see foreign-mydumper.ts. */
  | 'mydumper-stream'
  | 'phpmyadmin'
  | 'adminer'
  | 'heidisql'
  | 'mysqlbinlog'
  /** Anything else: SQL written by hand, or a dump without comments. */
  | 'plain';

export interface DumpOrigin {
  readonly tool: DumpTool;
  /** As the head names it, such as `9.7.4` or `10.11.19-MariaDB`. */
  readonly toolVersion?: string;
  readonly serverVersion?: string;
  /** The database that the head names; absent where it names none. */
  readonly database?: string;
  /** Begins with mariadb-dump's sandbox line, which older clients and all of MySQL's stumble over. */
  readonly isSandboxed: boolean;
}

/** Bytes of the beginning and of the end that suffice. */
export const DUMP_HEAD_BYTES = 4096;
export const DUMP_TAIL_BYTES = 4096;

const TOOLS: readonly (readonly [DumpTool, RegExp])[] = [
  ['mydumper-stream', /^\n?-- [^\s/]+(?:\.sql|\.dat|metadata[^\s/]*)(?:\.gz|\.zst)? \d+\n/],
  ['mydumper-stream', /^\n?-- metadata[^\s/]* \d+\n/],
  ['mariadb-dump', /^-- MariaDB dump [\d.]+ +Distrib ([^\s,]+)/m],
  ['mysqldump', /^-- MySQL dump [\d.]+ +Distrib ([^\s,]+)/m],
  ['mysqlpump', /^-- Dump created by MySQL pump utility, version: ([^\s,]+)/m],
  ['phpmyadmin', /^-- phpMyAdmin SQL Dump\s+-- version ([^\s]+)/m],
  ['adminer', /^-- Adminer ([^\s]+)/m],
  ['heidisql', /^-- HeidiSQL Version: +([^\s]+)/m],
  ['mysqlbinlog', /^\/\*!50530 SET @@SESSION\.PSEUDO_SLAVE_MODE=1\*\/;/m],
  ['mydumper', /^\/\*!40101 SET NAMES \w+\*\/;\n(?:\/\*!|CREATE |INSERT )/],
];

/**
 * Recognises the tool. `head` is the beginning of the uncompressed dump, at least
 * {@link DUMP_HEAD_BYTES} of it unless the dump is shorter.
 */
export function recogniseDump(head: Uint8Array): DumpOrigin {
  const text = Buffer.from(head.subarray(0, DUMP_HEAD_BYTES))
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n');
  const found = TOOLS.map(([tool, pattern]) => ({ tool, match: pattern.exec(text) })).find(
    ({ match }) => match !== null,
  );
  const serverVersion = /^-- Server version:?\s+(\S+)/m.exec(text)?.[1];
  const toolVersion = found?.match?.[1];
  const database = databaseOf(text);
  return {
    tool: found?.tool ?? 'plain',
    ...(toolVersion === undefined ? {} : { toolVersion }),
    ...(serverVersion === undefined ? {} : { serverVersion }),
    ...(database === undefined ? {} : { database }),
    isSandboxed: /^\/\*M?!999999\\-/.test(text),
  };
}

function databaseOf(text: string): string | undefined {
  const ofMysqldump = /^-- Host: .*? {4}Database: ?(.*)$/m.exec(text)?.[1];
  const ofPhpMyAdmin = /^-- Database: `(.+)`$/m.exec(text)?.[1]?.replaceAll('``', '`');
  const name = ofMysqldump ?? ofPhpMyAdmin;
  return name === undefined || name === '' ? undefined : name;
}

/** The last lines that tools write once everything before them is written. */
const TRAILERS: Readonly<Partial<Record<DumpTool, RegExp>>> = {
  mysqldump: /^-- Dump completed(?: on .*)?\s*$/m,
  'mariadb-dump': /^-- Dump completed(?: on .*)?\s*$/m,
  mysqlpump: /^-- Dump end time: .*$/m,
  mysqlbinlog: /^# End of log file\s*$/m,
  'mydumper-stream': /^# Finished dump at: .*$/m,
};

/**
 * Whether the dump ends with its tool's last line. `unknown` for tools that write none (a dump
 * without comments counts as `plain`).
 */
export function hasTrailer(tool: DumpTool, tail: Uint8Array): boolean | 'unknown' {
  const trailer = TRAILERS[tool];
  if (trailer === undefined) return 'unknown';
  return trailer.test(Buffer.from(tail).toString('latin1').replaceAll('\r\n', '\n'));
}
