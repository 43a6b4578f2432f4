/** Whether a connection is encrypted, and how the server is checked then. */
import { readFileSync } from 'node:fs';
import type { SslOptions } from 'mysql2';
import { ReshelveError } from '../errors.js';
import type { Session } from './session.js';
import { ERRNO, isServerError } from './server-error.js';

export type TlsMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-identity';

export interface TlsSettings {
  readonly mode: TlsMode;
  readonly caFile?: string;
  readonly certificateFile?: string;
  readonly keyFile?: string;
}

interface TlsTarget {
  readonly host: string;
  readonly socketPath?: string;
  readonly tls: TlsSettings;
}

type Connect = (ssl: SslOptions | undefined) => Promise<Session>;

/**
 * Servers on this machine that took the user over TLS only: asked without it again and again they would
 * count each refusal as a failed login.
 */
const insisting = new WeakSet<TlsTarget>();

/**
 * Within one machine nobody listens in, so there bytes are encrypted only where the server or the account
 * insists; elsewhere `preferred` does without only where the server cannot.
 */
export async function connectWithTlsPolicy(target: TlsTarget, connect: Connect): Promise<Session> {
  const { mode } = target.tls;
  if (mode === 'disabled') return connect(undefined);
  if (isOnThisMachine(target) && !insisting.has(target)) return connectLocally(target, connect);
  try {
    return await connect(tlsOptions(target.tls));
  } catch (error) {
    if (mode !== 'preferred' || !isWithoutTls(error)) throw error;
    return connect(undefined);
  }
}

async function connectLocally(target: TlsTarget, connect: Connect): Promise<Session> {
  try {
    return await connect(undefined);
  } catch (error) {
    // An account with REQUIRE SSL is refused in the same words as a wrong password.
    const mayInsist = isServerError(error, ERRNO.accessDenied, ERRNO.insecureTransport);
    if (!mayInsist) throw error;
    try {
      const session = await connect(tlsOptions(target.tls));
      insisting.add(target);
      return session;
    } catch (second) {
      throw isServerError(second, ERRNO.accessDenied) || isWithoutTls(second) ? error : second;
    }
  }
}

/** A socket is as private as a file, whatever the mode; a loopback address unless TLS is asked for. */
function isOnThisMachine({ host, socketPath, tls }: TlsTarget): boolean {
  if (socketPath !== undefined) return true;
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return tls.mode === 'preferred' && isLoopback;
}

function isWithoutTls(error: unknown): boolean {
  const cause = error instanceof ReshelveError ? error.cause : undefined;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'HANDSHAKE_NO_SSL_SUPPORT';
}

function tlsOptions(tls: TlsSettings): SslOptions {
  return {
    rejectUnauthorized: tls.mode === 'verify-ca' || tls.mode === 'verify-identity',
    verifyIdentity: tls.mode === 'verify-identity',
    minVersion: 'TLSv1.2',
    ...(tls.caFile === undefined ? {} : { ca: readTlsFile('DB_SSL_CA', tls.caFile) }),
    ...(tls.certificateFile === undefined
      ? {}
      : { cert: readTlsFile('DB_SSL_CERT', tls.certificateFile) }),
    ...(tls.keyFile === undefined ? {} : { key: readTlsFile('DB_SSL_KEY', tls.keyFile) }),
  };
}

function readTlsFile(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `${setting}: cannot read ${path} (${code ?? 'error'})`;
    throw new ReshelveError(isHandleLimit(code) ? 'FILE_LIMIT' : 'CONFIG', message, { cause });
  }
}

/** A socket is a file handle, too. */
export function isHandleLimit(code: string | undefined): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}
