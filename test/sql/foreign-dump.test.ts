/**
 * Goal: the tool that wrote a dump is recognised, and a dump that is cut off is found out. Method:
 * heads and tails as the tools write them, whole dumps in small, cut at every statement.
 */
import { describe, expect, it } from 'vitest';
import { inspectDump, recogniseDump } from '../../src/sql/foreign-dump.js';
import type { DumpInspector } from '../../src/sql/foreign-dump.js';
import { StatementSplitter } from '../../src/sql/statement-splitter.js';

const MYSQLDUMP_HEAD = `-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: 127.0.0.1    Database: LibraryDB
-- ------------------------------------------------------
-- Server version	9.7.4-2

`;
const MYSQLDUMP_BODY = `/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
DROP TABLE IF EXISTS \`BOOK\`;
INSERT INTO \`BOOK\` VALUES (1,'-- Dump completed on');
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;
`;
const TRAILER = '\n-- Dump completed on 2026-11-24  3:24:28\n';
const MARIADB_HEAD = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: 127.0.0.1    Database: LibraryDB
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1-log

`;
const PHPMYADMIN_HEAD = `-- phpMyAdmin SQL Dump
-- version 5.2.1
-- https://www.phpmyadmin.net/
--
-- Host: localhost:3306
-- Server version: 8.0.36
-- PHP Version: 8.2.0

SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
START TRANSACTION;
SET time_zone = "+00:00";

--
-- Database: \`Library\`\`DB\`
--
`;

function inspect(sql: string, chunkBytes = 100_000): DumpInspector {
  const inspector = inspectDump();
  const splitter = new StatementSplitter();
  const bytes = Buffer.from(sql);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    inspector.push(chunk);
    for (const statement of splitter.push(chunk)) inspector.statement(statement);
  }
  for (const statement of splitter.finish().last) inspector.statement(statement);
  return inspector;
}

describe('the tool', () => {
  it.each([
    [
      MYSQLDUMP_HEAD,
      {
        tool: 'mysqldump',
        toolVersion: '9.7.4',
        serverVersion: '9.7.4-2',
        database: 'LibraryDB',
        isSandboxed: false,
      },
    ],
    [
      MYSQLDUMP_HEAD.replaceAll('\n', '\r\n'),
      {
        tool: 'mysqldump',
        toolVersion: '9.7.4',
        serverVersion: '9.7.4-2',
        database: 'LibraryDB',
        isSandboxed: false,
      },
    ],
    [
      MYSQLDUMP_HEAD.replace('Database: LibraryDB', 'Database: '),
      { tool: 'mysqldump', toolVersion: '9.7.4', serverVersion: '9.7.4-2', isSandboxed: false },
    ],
    [
      MARIADB_HEAD,
      {
        tool: 'mariadb-dump',
        toolVersion: '10.11.19-MariaDB',
        serverVersion: '10.11.19-MariaDB-0+deb12u1-log',
        database: 'LibraryDB',
        isSandboxed: true,
      },
    ],
    [
      PHPMYADMIN_HEAD,
      {
        tool: 'phpmyadmin',
        toolVersion: '5.2.1',
        serverVersion: '8.0.36',
        database: 'Library`DB',
        isSandboxed: false,
      },
    ],
    [
      '-- Adminer 4.8.1 MySQL 8.0.36 dump\n\nSET NAMES utf8;\n',
      { tool: 'adminer', toolVersion: '4.8.1', isSandboxed: false },
    ],
    [
      '-- Dump created by MySQL pump utility, version: 8.0.30, Linux (x86_64)\n',
      { tool: 'mysqlpump', toolVersion: '8.0.30', isSandboxed: false },
    ],
    [
      '-- -----\n-- Host: x\n-- Server version:  8.0.1\n-- HeidiSQL Version:             12.1.0.6537\n',
      { tool: 'heidisql', toolVersion: '12.1.0.6537', serverVersion: '8.0.1', isSandboxed: false },
    ],
    [
      '/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;\n',
      { tool: 'mysqlbinlog', isSandboxed: false },
    ],
    [
      '\n-- metadata.header 137\n# Started dump at: x\n',
      { tool: 'mydumper-stream', isSandboxed: false },
    ],
    ['\n-- LibraryDB-schema-create.sql 137\n', { tool: 'mydumper-stream', isSandboxed: false }],
    [
      '/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n',
      { tool: 'mydumper', isSandboxed: false },
    ],
    ['\ufeffCREATE TABLE t (a int);', { tool: 'plain', isSandboxed: false }],
    ['', { tool: 'plain', isSandboxed: false }],
  ])('of %j', (head, origin) => {
    expect(recogniseDump(Buffer.from(head))).toEqual(origin);
  });
});

describe('a dump', () => {
  it('is whole with its last line', () => {
    for (const head of [MYSQLDUMP_HEAD, MARIADB_HEAD]) {
      for (const size of [1, 7, 100_000]) {
        const inspector = inspect(head + MYSQLDUMP_BODY + TRAILER, size);
        expect(inspector.finish()).toBeUndefined();
        expect(inspector.sourceDatabase).toBe('LibraryDB');
      }
    }
    expect(
      inspect(`${MYSQLDUMP_HEAD + MYSQLDUMP_BODY}-- Dump completed\n`).finish(),
    ).toBeUndefined();
  });

  it('without it is cut off', () => {
    expect(inspect(MYSQLDUMP_HEAD + MYSQLDUMP_BODY).finish()).toMatch(
      /expected the line with which mysqldump ends a whole dump/,
    );
    expect(inspect(MARIADB_HEAD + MYSQLDUMP_BODY).finish()).toMatch(/mariadb-dump/);
  });

  it('without comments must put the session back', () => {
    expect(inspect(MYSQLDUMP_BODY).finish()).toBeUndefined();
    const lines = MYSQLDUMP_BODY.split('\n');
    for (let count = 2; count < 6; count += 1) {
      const cut = lines.slice(0, count).join('\n');
      expect(inspect(cut).finish(), cut).toMatch(/expected the session to be put back .* line 2/);
    }
  });

  it('of phpMyAdmin must commit', () => {
    expect(
      inspect(`${PHPMYADMIN_HEAD}INSERT INTO t VALUES (1);\nCOMMIT;\n`).finish(),
    ).toBeUndefined();
    expect(inspect(`${PHPMYADMIN_HEAD}INSERT INTO t VALUES (1);\n`).finish()).toMatch(
      /expected COMMIT for the transaction of line 10/,
    );
  });

  it('of nothing is none', () => {
    expect(inspect('').finish()).toMatch(/expected SQL statements but found none/);
    expect(inspect('-- nothing\n').finish()).toMatch(/found none/);
  });

  it('written by hand is taken as it is', () => {
    expect(inspect('CREATE TABLE t (a int); INSERT INTO t VALUES (1);').finish()).toBeUndefined();
  });

  it('tells the databases that it uses', () => {
    const one = inspect('USE `a b`;USE `a b`;SELECT 1;');
    expect(one.databases).toEqual(['a b']);
    expect(one.sourceDatabase).toBe('a b');
    const two = inspect(`${MYSQLDUMP_HEAD}USE a;USE b;`);
    expect(two.databases).toEqual(['a', 'b']);
    expect(two.sourceDatabase).toBeUndefined();
    expect(inspect('SELECT 1;').sourceDatabase).toBeUndefined();
  });

  it('tells the first command of the mysql client', () => {
    expect(inspect('SELECT 1;\nsource a.sql\nsystem x\n').clientCommand).toBe('SOURCE in line 2');
    expect(inspect('SELECT 1;\nSELECT 2 \\c;').clientCommand).toBe('\\c in line 2');
    expect(inspect('SELECT 1;').clientCommand).toBeUndefined();
  });
});
