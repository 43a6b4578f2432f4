import { expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.js';
import { optionLines } from '../../../src/operations/dump/mysqldump-engine.js';

const SERVER = {
  host: 'db.internal',
  port: 3307,
  user: 'backup',
  password: new Secret('a "b" \\ #c'),
  silenceMs: 1000,
};

test('the server is checked as strictly as by ourselves, by either maker’s program', () => {
  const tls = { mode: 'verify-identity', caFile: '/a "ca".pem', keyFile: '/k' } as const;
  expect(optionLines({ ...SERVER, tls })).toEqual([
    '[client]',
    'host="db.internal"',
    'port=3307',
    'protocol=tcp',
    'user="backup"',
    'password="a \\"b\\" \\\\ #c"',
    'loose-ssl-mode=VERIFY_IDENTITY',
    'loose-ssl',
    'loose-ssl-verify-server-cert',
    'ssl-ca="/a \\"ca\\".pem"',
    'ssl-key="/k"',
  ]);
});

test('a socket needs no encryption, and `disabled` is passed on', () => {
  const disabled = { mode: 'disabled' } as const;
  const lines = optionLines({ ...SERVER, tls: disabled });
  expect(lines.filter((line) => line.includes('ssl'))).toEqual([
    'loose-ssl-mode=DISABLED',
    'loose-skip-ssl',
  ]);
  const socket = optionLines({ ...SERVER, socketPath: '/run/my sql.sock', tls: disabled });
  expect(socket).toContain('socket="/run/my sql.sock"');
  expect(socket.filter((line) => /ssl|host|port/.test(line))).toEqual([]);
});
