/** The settings of one database server: DB_* and, for test restores elsewhere, VERIFY_DB_*. */
import type { Configuration, ServerConfiguration, TlsConfiguration } from './configuration.js';
import { Secret } from './secret.js';
import type { SettingReader } from './setting-reader.js';
import type { SettingName } from './settings.js';
import * as values from './values.js';

type Prefix = 'DB' | 'VERIFY_DB';

const TLS_MODES = ['disabled', 'preferred', 'required', 'verify-ca', 'verify-identity'] as const;
const PORT = values.wholeNumber(1, 65_535);
const PORT_UNLESS_SET = 3306;
const TIMEOUT_SECONDS_MAX = 24 * 3600;
const USER = values.oneLine('a user name');

export function readServer(reader: SettingReader): ServerConfiguration {
  const socketPath = reader.absolutePath('DB_SOCKET');
  return {
    host: reader.required('DB_HOST', values.host),
    port: reader.required('DB_PORT', PORT),
    ...(socketPath === undefined ? {} : { socketPath }),
    user: reader.required('DB_USER', USER),
    password: new Secret(reader.secretText('DB_PASS') ?? ''),
    tls: readTls(reader, 'DB') ?? { mode: 'preferred' },
    silenceMs:
      reader.required('DB_TIMEOUT_SECONDS', values.wholeNumber(1, TIMEOUT_SECONDS_MAX)) * 1000,
  };
}

/**
 * What VERIFY_DB_* leaves out is taken from `server`, with two exceptions: another host or socket
 * replaces both host and socket (and has the usual port), and another user has its own password.
 */
export function readVerifyServer(
  reader: SettingReader,
  server: ServerConfiguration,
): Pick<Configuration, 'verifyServer' | 'verifiesElsewhere'> {
  const host = reader.optional('VERIFY_DB_HOST', values.host);
  const port = reader.optional('VERIFY_DB_PORT', PORT);
  const socketPath = reader.absolutePath('VERIFY_DB_SOCKET');
  const user = reader.optional('VERIFY_DB_USER', USER);
  const password = reader.secretText('VERIFY_DB_PASS');
  const tls = readTls(reader, 'VERIFY_DB');
  const movesByNetwork = host !== undefined || port !== undefined;
  const place = socketPath ?? (movesByNetwork ? undefined : server.socketPath);
  const ownPassword = password ?? (user === undefined ? undefined : '');
  const verifyServer: ServerConfiguration = {
    host: host ?? server.host,
    port: port ?? (host === undefined ? server.port : PORT_UNLESS_SET),
    ...(place === undefined ? {} : { socketPath: place }),
    user: user ?? server.user,
    password: ownPassword === undefined ? server.password : new Secret(ownPassword),
    tls: tls ?? server.tls,
    silenceMs: server.silenceMs,
  };
  return { verifyServer, verifiesElsewhere: movesByNetwork || socketPath !== undefined };
}

/** Undefined where none of the four settings is set. */
function readTls(reader: SettingReader, prefix: Prefix): TlsConfiguration | undefined {
  const caFile = reader.readableFile(`${prefix}_SSL_CA`);
  const certificateFile = reader.readableFile(`${prefix}_SSL_CERT`);
  const keyFile = reader.readableFile(`${prefix}_SSL_KEY`);
  const written = reader.optional(`${prefix}_SSL_MODE`, values.oneOf(TLS_MODES));
  const isSet = (suffix: 'CA' | 'CERT' | 'KEY' | 'MODE'): boolean =>
    reader.sources.isSet(`${prefix}_SSL_${suffix}` satisfies SettingName);
  if (isSet('CERT') !== isSet('KEY')) {
    const [missing, present] = isSet('CERT') ? ['KEY', 'CERT'] : ['CERT', 'KEY'];
    reader.sources.problems.push(
      `${prefix}_SSL_${missing}: expected a file, since ${prefix}_SSL_${present} is set, but found nothing`,
    );
  }
  // As the mysql client does it: who names an authority wants the server checked against it.
  const mode = written ?? (caFile === undefined ? 'preferred' : 'verify-ca');
  if (mode === 'verify-ca' && !isSet('CA')) {
    reader.sources.problems.push(
      `${prefix}_SSL_CA: expected a file, since ${prefix}_SSL_MODE is verify-ca, but found nothing`,
    );
  }
  if (!isSet('CA') && !isSet('CERT') && !isSet('KEY') && !isSet('MODE')) return undefined;
  return {
    mode,
    ...(caFile === undefined ? {} : { caFile }),
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}
