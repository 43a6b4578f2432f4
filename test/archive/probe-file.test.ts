// Goal: a file is taken for what it is; above all, no damaged archive passes for a foreign dump.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { memorySource } from '../../src/archive/byte-source.js';
import { MEMBER_HEADER_LENGTH } from '../../src/archive/member-header.js';
import { probeFile, probeSource } from '../../src/archive/probe-file.js';
import { flipBit } from './damage.js';
import { sampleArchive, withFolder } from './samples.js';

const archive = await sampleArchive();

const kindOf = async (bytes: Buffer | string): Promise<string> =>
  (await probeSource(memorySource(Buffer.from(bytes)))).kind;

test('an archive is one on disk too', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a.sql.gz');
    await writeFile(path, archive);
    expect(await probeFile(path)).toMatchObject({ kind: 'reshelve', textOfArchive: false });
    await expect(probeFile(join(folder, 'b'))).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await expect(probeFile(folder)).rejects.toMatchObject({ code: 'NOT_A_BACKUP' });
  });
});

test('any one byte of the first header may be anything', async () => {
  for (let at = 0; at < MEMBER_HEADER_LENGTH; at += 1) {
    for (let value = 0; value < 256; value += 5) {
      const damaged = Buffer.from(archive);
      damaged[at] = value;
      expect(await kindOf(damaged), `byte ${at} is ${value}`).toBe('reshelve');
    }
  }
});

test('a damaged first header is known even where it is all that is left', async () => {
  const start = archive.subarray(0, MEMBER_HEADER_LENGTH + 20);
  for (let bit = 0; bit < start.length * 8; bit += 1) {
    expect(await kindOf(flipBit(start, bit)), `bit ${bit}`).toBe('reshelve');
  }
});

test('an overwritten start or end does not hide an archive', async () => {
  const zeros = Buffer.alloc(400);
  expect(await kindOf(Buffer.concat([zeros, archive.subarray(400)]))).toBe('reshelve');
  expect(await kindOf(Buffer.concat([archive.subarray(0, -400), zeros]))).toBe('reshelve');
  const bothEnds = Buffer.concat([zeros, archive.subarray(400, -400), zeros]);
  expect(await kindOf(bothEnds)).toBe('reshelve');
});

test('the far end of a large file is looked at', async () => {
  const large = Buffer.concat([Buffer.alloc(9 * 1024 * 1024, 'x'), archive]);
  expect(await kindOf(large)).toBe('reshelve');
});

test.each([
  ['mysqldump', '-- MySQL dump 10.13  Distrib 9.7.0, for Linux (x86_64)\n--\n'],
  ['mariadb-dump', '/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n'],
  ['mydumper', '/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n'],
  ['a byte order mark', '\u00ef\u00bb\u00bf\n\ncreate table `a` (b int);'],
  ['a bare statement', '  INSERT INTO t VALUES (1);'],
  ['an empty comment', '--\nUSE x;'],
])('%s is SQL, plain and gzipped', async (_what, text) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(await kindOf(bytes)).toBe('plain-sql');
  expect(await kindOf(gzipSync(bytes))).toBe('gzip-sql');
  const long = Buffer.concat([bytes, Buffer.from(randomBytes(100_000).toString('hex'))]);
  expect(await kindOf(gzipSync(long))).toBe('gzip-sql');
  expect(await kindOf(gzipSync(long).subarray(0, 50_000))).toBe('gzip-sql');
});

test('gzip files with headers much like ours are told from archives', async () => {
  const gzipped = gzipSync('-- MySQL dump 10.13\n');
  // bgzip: an FEXTRA field of its own, and like ours no time and an unknown system.
  const bgzip = Buffer.from('1f8b08040000000000ff060042430200', 'hex');
  const blockLength = Buffer.from([gzipped.length - 10 + 18 - 1, 0]);
  const block = Buffer.concat([bgzip, blockLength, gzipped.subarray(10)]);
  expect(await kindOf(block)).toBe('gzip-sql');
  // Go's writer: no time and an unknown system.
  const header = Buffer.from('1f8b08000000000000ff', 'hex');
  expect(await kindOf(Buffer.concat([header, gzipped.subarray(10)]))).toBe('gzip-sql');
});

test('the text of an archive is told from other SQL', async () => {
  const text = gunzipSync(archive);
  const plain = await probeSource(memorySource(text));
  expect(plain).toMatchObject({ kind: 'plain-sql', textOfArchive: true });
  const again = await probeSource(memorySource(gzipSync(text)));
  expect(again).toMatchObject({ kind: 'gzip-sql', textOfArchive: true });
  const foreign = await probeSource(memorySource(Buffer.from('-- MySQL dump\n')));
  expect(foreign.textOfArchive).toBe(false);
});

test.each([
  ['nothing', ''],
  ['prose', 'Dear reader, CREATE is a word'],
  ['a dash line', '---- \n'],
  ['zeros', Buffer.alloc(5000)],
  ['random bytes', Buffer.from('c3a1b2c3d4e5f60718293a4b5c6d7e8f', 'hex')],
  ['a zip', Buffer.from('504b0304140000000800', 'hex')],
  ['gzipped prose', gzipSync('Dear reader')],
  ['a gzip that is damaged', flipBit(gzipSync('-- MySQL dump\nSELECT 1;\n'), 100)],
  ['a gzip header alone', Buffer.from('1f8b', 'hex')],
])('%s is unknown', async (_what, bytes) => {
  expect(await kindOf(bytes)).toBe('unknown');
});

test('what gpg encrypts is known, armoured or not, by passphrase or by key', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'a.sql.gz');
    await writeFile(path, archive);
    const gpg = (passphrase: string, ...args: string[]): void => {
      const common = ['--homedir', folder, '--batch', '--yes', '--pinentry-mode', 'loopback'];
      // A fixed count spares gpg from measuring the machine, which takes seconds on a busy one.
      const all = [...common, '--s2k-count', '65536', '--passphrase', passphrase, ...args];
      execFileSync('gpg', all, { stdio: 'pipe' });
    };
    try {
      gpg('', '--quick-gen-key', 'test@example.org', 'future-default', 'default', 'never');
      for (const how of [['--symmetric'], ['-r', 'test@example.org', '--encrypt']]) {
        for (const armour of [[], ['--armor']]) {
          gpg('x', ...armour, '--output', `${path}.gpg`, ...how, path);
          expect(await kindOf(await readFile(`${path}.gpg`)), how.join(' ')).toBe('encrypted-gpg');
        }
      }
    } finally {
      execFileSync('gpgconf', ['--homedir', folder, '--kill', 'all']);
    }
  });
});

test('new-format packets of either kind are known, other packets are not', async () => {
  const start = async (hex: string): Promise<string> => kindOf(Buffer.from(hex, 'hex'));
  expect(await start('c1c0100300000000')).toBe('encrypted-gpg');
  expect(await start('c30d040903080000')).toBe('encrypted-gpg');
  expect(await start('c3ff000000100609')).toBe('encrypted-gpg');
  expect(await start('c30d090903080000')).toBe('unknown');
  expect(await start('990d040903080000')).toBe('unknown');
});
