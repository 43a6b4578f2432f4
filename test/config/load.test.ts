/** All settings: defaults, precedence, mistakes named together, secrets kept out of every message. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/configuration.js';
import { loadConfiguration } from '../../src/config/load.js';
import { ReshelveError } from '../../src/errors.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'reshelve-config-'));
});

afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

function load(environment: Record<string, string> = {}, dotEnv?: string): Configuration {
  if (dotEnv !== undefined) writeFileSync(join(cwd, '.env'), dotEnv);
  return loadConfiguration({ cwd, environment });
}

function mistakes(environment: Record<string, string>, dotEnv?: string): string {
  try {
    load(environment, dotEnv);
  } catch (error) {
    expect(error).toBeInstanceOf(ReshelveError);
    expect(error).toMatchObject({ code: 'CONFIG', exitCode: 2 });
    return (error as ReshelveError).message;
  }
  throw new Error('expected a CONFIG error but found none');
}

describe('defaults and sources', () => {
  test('without any setting the defaults of the contract hold', () => {
    const { server, databaseName, backup, ...rest } = load();
    expect(server).toMatchObject({ host: 'localhost', port: 3306, user: 'root' });
    expect(server.password.reveal()).toBe('');
    expect(server.tls).toEqual({ mode: 'preferred' });
    expect(databaseName).toBe('LibraryDB');
    expect(backup).toEqual({
      directory: join(cwd, 'backups'),
      directoryShown: 'backups',
      retention: 5,
      incrementalRetention: 10,
      emergencyRetention: 3,
      beforeRetentionDays: 7,
      cronSchedule: '0 2 * * *',
      stream: { isOn: false, segmentMs: 60_000, retryMs: 900_000 },
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      threads: Math.min(availableParallelism(), 4),
      compressionLevel: 3,
      engine: 'native',
      mysqldumpPath: 'mysqldump',
      criticalTables: [],
      lockWaitMs: 0,
    });
    expect(rest).toEqual({ verifyServer: server, verifiesElsewhere: false, web: {}, warnings: [] });
  });

  test('the .env of the guide, comments behind values included, is read', () => {
    const { backup, server, web } = load(
      {},
      `\uFEFF# Database Connection\r
DB_HOST=db.internal\r
DB_PASS=your_password\r
BACKUP_DIR=./backups                    # Local backup directory\r
BACKUP_RETENTION=7                       # Full backup retention count\r
BACKUP_CRON_SCHEDULE=0 2,14 * * 1-5          # Daily at 2:00 AM\r
JWT_SECRET=change-me-to-secure-random-string\r
JWT_EXPIRES_IN=2h\r
RATE_LIMIT_WINDOW_MS=900000              # 15 minutes\r
RATE_LIMIT_MAX=300                       # 300 requests per window\r
`,
    );
    expect(server.host).toBe('db.internal');
    expect(backup).toMatchObject({ retention: 7, cronSchedule: '0 2,14 * * 1-5' });
    expect(backup.directory).toBe(join(cwd, 'backups'));
    expect(web).toMatchObject({
      jwtExpiresInSeconds: 7200,
      rateLimitWindowMs: 900_000,
      rateLimitMax: 300,
    });
    expect(web.jwtSecret?.reveal()).toBe('change-me-to-secure-random-string');
  });

  test('the real environment wins, also with an empty text, which means the default', () => {
    const dotEnv = 'DB_HOST=one\nDB_USER=file\nDB_SOCKET=/tmp/a.sock\nDB_PORT=1\n';
    const { server } = load({ DB_HOST: 'two', DB_SOCKET: '', DB_PORT: '' }, dotEnv);
    expect(server).toMatchObject({ host: 'two', user: 'file', port: 3306 });
    expect(server).not.toHaveProperty('socketPath');
  });

  test('paths are relative to the working directory, and shown as written', () => {
    const at = (text: string): [string, string] => {
      const { directory, directoryShown } = load({ BACKUP_DIR: text }).backup;
      return [directory, directoryShown];
    };
    expect(at('./var/../b/')).toEqual([join(cwd, 'b'), 'b']);
    expect(at('/srv/backups//')).toEqual(['/srv/backups', '/srv/backups']);
    expect(at('.')).toEqual([cwd, '.']);
    expect(load({ DB_SOCKET: 'run/my.sock' }).server.socketPath).toBe(join(cwd, 'run/my.sock'));
  });

  test.each([
    ['db', 'db'],
    ['db-1.example.com.', 'db-1.example.com.'],
    ['my_service', 'my_service'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['fe80::1', 'fe80::1'],
  ])('DB_HOST=%s', (text, host) => {
    expect(load({ DB_HOST: text }).server.host).toBe(host);
  });

  test.each([
    ['BOOK, MEMBER ,LOAN', ['BOOK', 'MEMBER', 'LOAN']],
    ['`a,b`,`c``d`, e f ,BOOK,', ['a,b', 'c`d', 'e f', 'BOOK']],
    ['BOOK,BOOK', ['BOOK']],
    ['bücher.x', ['bücher.x']],
  ])('BACKUP_CRITICAL_TABLES=%s', (text, names) => {
    expect(load({ BACKUP_CRITICAL_TABLES: text }).backup.criticalTables).toEqual(names);
  });
});

describe('mistakes', () => {
  test('all of them are named at once, each with its place, what was expected and what found', () => {
    const message = mistakes(
      { DB_PORT: 'tcp://10.0.0.1:3306', BACKUP_THREADS: '17' },
      'DB_HOST="db host"\nBACKUP_RETENTION=0\nBACKUP_ENGINE=mydumper\n',
    );
    expect(message.split('\n')).toEqual([
      '5 settings are not valid:',
      '  DB_HOST in .env: expected a host name or an IP address, without port, user or scheme but found "db host"',
      '  DB_PORT in the environment: expected a whole number from 1 to 65535 but found "tcp://10.0.0.1:3306"',
      '  BACKUP_RETENTION in .env: expected a whole number from 1 to 100000 but found "0"',
      '  BACKUP_THREADS in the environment: expected a whole number from 1 to 16 but found "17"',
      '  BACKUP_ENGINE in .env: expected native or mysqldump but found "mydumper"',
    ]);
  });

  test.each([
    ['DB_HOST', 'localhost:3306'],
    ['DB_HOST', '-x'],
    ['DB_PORT', '0'],
    ['DB_PORT', '65536'],
    ['DB_PORT', '0x10'],
    ['DB_PORT', '33 06'],
    ['DB_USER', 'a\u0007b'],
    ['DB_NAME', 'x'.repeat(65)],
    ['DB_NAME', 'a💥b'],
    ['DB_SSL_MODE', 'strict'],
    ['BACKUP_DIR', '~/backups'],
    ['BACKUP_DIR', '$HOME/backups'],
    ['BACKUP_DIR', '/'],
    ['BACKUP_DIR', '/..'],
    ['BACKUP_TIMEZONE', 'Mars/Olympus'],
    ['BACKUP_TIMEZONE', '+02:00'],
    ['BACKUP_THREADS', '0'],
    ['BACKUP_THREADS', '1.5'],
    ['BACKUP_COMPRESSION_LEVEL', '10'],
    ['BACKUP_CRITICAL_TABLES', 'a,,b'],
    ['BACKUP_CRITICAL_TABLES', '`a'],
    ['BACKUP_LOCK_WAIT_SECONDS', '-1'],
    ['JWT_EXPIRES_IN', 'soon'],
    ['JWT_EXPIRES_IN', '0h'],
    ['RATE_LIMIT_MAX', 'many'],
  ])('%s=%s is refused by name', (name, text) => {
    const message = mistakes({ [name]: text });
    expect(message).toMatch(new RegExp(`^${name} in the environment: expected .+ but found `));
  });

  test('a file that a TLS setting names must be there, and certificate and key come in pairs', () => {
    writeFileSync(join(cwd, 'ca.pem'), 'x');
    expect(mistakes({ DB_SSL_CA: 'nope.pem' })).toBe(
      `DB_SSL_CA in the environment: ${join(cwd, 'nope.pem')}: expected a readable file but found none (ENOENT)`,
    );
    expect(mistakes({ DB_SSL_CERT: 'ca.pem' })).toMatch(/^DB_SSL_KEY: .*DB_SSL_CERT is set/);
    expect(mistakes({ VERIFY_DB_SSL_KEY: 'ca.pem' })).toMatch(/^VERIFY_DB_SSL_CERT: /);
    expect(mistakes({ DB_SSL_MODE: 'verify-ca' })).toMatch(/^DB_SSL_CA: /);
    const { tls } = load({ DB_SSL_CA: 'ca.pem' }).server;
    expect(tls).toEqual({ mode: 'verify-ca', caFile: join(cwd, 'ca.pem') });
    expect(load({ DB_SSL_MODE: 'verify-identity' }).server.tls).toEqual({
      mode: 'verify-identity',
    });
  });

  test('a .env that cannot be used is a mistake, a missing one is not', () => {
    mkdirSync(join(cwd, '.env'));
    expect(mistakes({})).toBe('.env: expected a file but found something else');
    rmSync(join(cwd, '.env'), { recursive: true });
    expect(mistakes({}, 'D\0B\0_\0')).toMatch(/^\.env: expected UTF-8 text but found NUL bytes/);
    expect(() => loadConfiguration({ cwd: join(cwd, 'nowhere'), environment: {} })).not.toThrow();
  });
});

describe('secrets', () => {
  const PASSWORD = 'hunter2-"quoted"-pä%s';

  test('are taken from files, without the one final line break', () => {
    writeFileSync(join(cwd, 'pass'), `${PASSWORD}\n`);
    writeFileSync(join(cwd, 'pass2'), ' two lines\n\r\n');
    const { server, verifyServer } = load({ DB_PASS_FILE: 'pass', VERIFY_DB_PASS_FILE: 'pass2' });
    expect(server.password.reveal()).toBe(PASSWORD);
    expect(verifyServer.password.reveal()).toBe(' two lines\n');
  });

  test('an unreadable file is named with its setting', () => {
    expect(mistakes({ DB_PASS_FILE: 'missing' })).toBe(
      `DB_PASS_FILE in the environment: ${join(cwd, 'missing')}: expected a readable file but found none (ENOENT)`,
    );
    expect(mistakes({ JWT_SECRET_FILE: cwd })).toMatch(/^JWT_SECRET_FILE in the environment: /);
  });

  test('a secret and its file in one place contradict each other; the environment beats .env', () => {
    writeFileSync(join(cwd, 'pass'), 'from file');
    const both = mistakes({ DB_PASS: PASSWORD, DB_PASS_FILE: 'pass' });
    expect(both).toBe(
      'DB_PASS in the environment: expected DB_PASS or DB_PASS_FILE but found both',
    );
    expect(load({ DB_PASS_FILE: 'pass' }, 'DB_PASS=x').server.password.reveal()).toBe('from file');
    expect(load({ DB_PASS: 'x' }, 'DB_PASS_FILE=pass').server.password.reveal()).toBe('x');
    expect(load({ DB_PASS: '' }, 'DB_PASS=x').server.password.reveal()).toBe('');
  });

  test('are kept as they are: spaces at their ends belong to them', () => {
    expect(load({ DB_PASS: ' p ' }).server.password.reveal()).toBe(' p ');
  });

  test('appear nowhere in an error, whatever else is wrong', () => {
    const url = `mysql://root:${PASSWORD}@db:3306/x`;
    const message = mistakes({
      DB_PASS: PASSWORD,
      JWT_SECRET: PASSWORD,
      DB_HOST: url,
      DB_PORT: 'x',
    });
    expect(message).not.toContain(PASSWORD);
    expect(message).toContain('found "mysql://…@db:3306/x"');
  });

  test('do not show in a printed configuration', () => {
    const configuration = load({ DB_PASS: PASSWORD, JWT_SECRET: PASSWORD });
    expect(JSON.stringify(configuration)).not.toContain(PASSWORD);
    expect(JSON.stringify(configuration)).toContain('"password":"[secret]"');
  });

  test.runIf(process.getuid?.() !== 0)('a file without read permission is a mistake', () => {
    writeFileSync(join(cwd, 'pass'), 'x');
    chmodSync(join(cwd, 'pass'), 0);
    expect(mistakes({ DB_PASS_FILE: 'pass' })).toMatch(/EACCES/);
  });
});

describe('the server for test restores', () => {
  const base = { DB_HOST: 'prod', DB_PORT: '3307', DB_USER: 'backup', DB_PASS: 'secret' };

  test('another host has the usual port and does not use the socket', () => {
    const { verifyServer, verifiesElsewhere } = load({
      ...base,
      DB_SOCKET: '/run/a.sock',
      VERIFY_DB_HOST: 'staging',
    });
    expect(verifiesElsewhere).toBe(true);
    expect(verifyServer).toMatchObject({ host: 'staging', port: 3306, user: 'backup' });
    expect(verifyServer.password.reveal()).toBe('secret');
    expect(verifyServer).not.toHaveProperty('socketPath');
  });

  test('another user has its own password; the place stays the same', () => {
    const { verifyServer, verifiesElsewhere } = load({ ...base, VERIFY_DB_USER: 'checker' });
    expect(verifiesElsewhere).toBe(false);
    expect(verifyServer).toMatchObject({ host: 'prod', port: 3307, user: 'checker' });
    expect(verifyServer.password.reveal()).toBe('');
    const withPassword = load({ ...base, VERIFY_DB_USER: 'checker', VERIFY_DB_PASS: 'p' });
    expect(withPassword.verifyServer.password.reveal()).toBe('p');
  });

  test('another port or socket is another server; TLS is inherited unless set', () => {
    const { verifyServer, verifiesElsewhere } = load({
      ...base,
      DB_SSL_MODE: 'required',
      VERIFY_DB_PORT: '3308',
    });
    expect(verifiesElsewhere).toBe(true);
    expect(verifyServer).toMatchObject({ host: 'prod', port: 3308, tls: { mode: 'required' } });
    const other = load({
      DB_SSL_MODE: 'required',
      VERIFY_DB_SSL_MODE: 'disabled',
      VERIFY_DB_SOCKET: '/s',
    });
    expect(other).toMatchObject({
      verifiesElsewhere: true,
      verifyServer: { socketPath: '/s', tls: { mode: 'disabled' } },
    });
  });
});
