/**
 * A TCP proxy between the command line and a server, which counts what the server sends and damages
 * it as a plan says.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** One chunk on its way from the server to the client. */
export interface Passage {
  /** Bytes that the server has sent on all connections before this chunk. */
  readonly offset: number;
  /** The same of this connection alone. */
  readonly connectionOffset: number;
  /** Ordinal of the connection, from 0. */
  readonly connection: number;
}

export interface ProxyPlan {
  /**
   * May change the bytes in place; called for everything that the server sends. What the connection
   * carries waits for the result.
   */
  readonly onDown?: (chunk: Buffer, passage: Passage) => void | Promise<void>;
  /** Called with everything that the client sends, which goes on to the server when it resolves. */
  readonly onUp?: (chunk: Buffer) => void | Promise<void>;
  /** Called for each whole packet header that the server sends; may change it in place. */
  readonly onPacket?: (header: Buffer, packet: PacketPassage) => void;
  /** Most bytes a second from the server, over all connections. */
  readonly downBytesPerSecond?: number;
  /** Accepts connections and never says anything. */
  readonly silent?: boolean;
}

export interface PacketPassage {
  /** Ordinal of the packet over all connections, from 0; those of the handshake do not count. */
  readonly ordinal: number;
  readonly connection: number;
  readonly length: number;
}

export interface Proxy {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Bytes from the server so far. */
  readonly downBytes: number;
  readonly packets: number;
  /** Cuts all connections now; with `refuse` there are no new ones either. */
  cut(options?: { readonly refuse?: boolean }): void;
  cutConnection(connection: number): void;
  close(): Promise<void>;
}

const CHUNK_BYTES_MAX = 16 * 1024;

export async function startProxy(
  target: { readonly host: string; readonly port: number },
  plan: ProxyPlan = {},
): Promise<Proxy> {
  const proxy = new FaultProxy(target, plan);
  await proxy.listen();
  return proxy;
}

class FaultProxy implements Proxy {
  readonly host = '127.0.0.1';
  readonly #target: { readonly host: string; readonly port: number };
  readonly #plan: ProxyPlan;
  readonly #pairs = new Map<number, readonly Socket[]>();
  readonly #listener = createServer((client) => {
    this.#accept(client);
  });
  #connections = 0;
  #downBytes = 0;
  #packets = 0;
  #refusing = false;
  readonly #startedMs = performance.now();

  constructor(target: { readonly host: string; readonly port: number }, plan: ProxyPlan) {
    this.#target = target;
    this.#plan = plan;
  }

  async listen(): Promise<void> {
    this.#listener.listen(0, this.host);
    await once(this.#listener, 'listening');
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get downBytes(): number {
    return this.#downBytes;
  }

  get packets(): number {
    return this.#packets;
  }

  cut(options: { readonly refuse?: boolean } = {}): void {
    if (options.refuse === true) this.#refusing = true;
    for (const connection of this.#pairs.keys()) this.cutConnection(connection);
  }

  cutConnection(connection: number): void {
    for (const socket of this.#pairs.get(connection) ?? []) socket.resetAndDestroy();
    this.#pairs.delete(connection);
  }

  async close(): Promise<void> {
    this.cut({ refuse: true });
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const connection = this.#connections;
    this.#connections += 1;
    if (this.#plan.silent === true) {
      this.#pairs.set(connection, [client]);
      return;
    }
    const server = connect({ host: this.#target.host, port: this.#target.port, noDelay: true });
    server.on('error', () => undefined);
    this.#pairs.set(connection, [client, server]);
    client.setNoDelay(true);
    if (this.#plan.onUp === undefined) client.pipe(server);
    else void this.#carryUp(client, server, this.#plan.onUp);
    client.on('close', () => server.destroy());
    void this.#carry(server, client, connection);
  }

  async #carryUp(
    client: Socket,
    server: Socket,
    onUp: NonNullable<ProxyPlan['onUp']>,
  ): Promise<void> {
    try {
      for await (const received of client) {
        await onUp(received as Buffer);
        if (!server.write(received as Buffer)) {
          await Promise.race([once(server, 'drain'), once(server, 'close')]);
        }
      }
      server.end();
    } catch {
      server.destroy();
    }
  }

  async #carry(server: Socket, client: Socket, connection: number): Promise<void> {
    const headers = new HeaderFinder((header, length) => {
      this.#plan.onPacket?.(header, { ordinal: this.#packets, connection, length });
      this.#packets += 1;
    });
    let connectionOffset = 0;
    try {
      for await (const received of server) {
        for (const chunk of slices(received as Buffer)) {
          const passage = { offset: this.#downBytes, connectionOffset, connection };
          this.#downBytes += chunk.length;
          connectionOffset += chunk.length;
          if (this.#plan.onPacket !== undefined) headers.push(chunk);
          await this.#plan.onDown?.(chunk, passage);
          await this.#throttle();
          if (!this.#pairs.has(connection)) return;
          if (!client.write(chunk))
            await Promise.race([once(client, 'drain'), once(client, 'close')]);
        }
      }
      client.end();
    } catch {
      client.resetAndDestroy();
    }
  }

  async #throttle(): Promise<void> {
    const rate = this.#plan.downBytesPerSecond;
    if (rate === undefined) return;
    const aheadMs = (this.#downBytes / rate) * 1000 - (performance.now() - this.#startedMs);
    if (aheadMs > 5) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
}

function* slices(chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += CHUNK_BYTES_MAX) {
    yield chunk.subarray(at, at + CHUNK_BYTES_MAX);
  }
}

/** Follows the packets of one connection; headers that lie in two chunks are passed over. */
class HeaderFinder {
  readonly #found: (header: Buffer, length: number) => void;
  #skip = 0;
  #partial = Buffer.alloc(0);
  /** Greeting and result of the authentication, up to the OK packet. */
  #inHandshake = true;

  constructor(found: (header: Buffer, length: number) => void) {
    this.#found = found;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(this.#skip, chunk.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at >= chunk.length) return;
      const isSplit = this.#partial.length > 0 || chunk.length - at < 5;
      if (isSplit) {
        const needed = 5 - this.#partial.length;
        this.#partial = Buffer.concat([this.#partial, chunk.subarray(at, at + needed)]);
        at += Math.min(needed, chunk.length - at);
        if (this.#partial.length < 5) return;
        this.#skip = this.#partial.readUIntLE(0, 3) - 1;
        this.#seeHandshake(this.#partial);
        this.#partial = Buffer.alloc(0);
        continue;
      }
      const header = chunk.subarray(at, at + 4);
      const length = header.readUIntLE(0, 3);
      const inHandshake = this.#inHandshake;
      this.#seeHandshake(chunk.subarray(at, at + 5));
      at += 4;
      this.#skip = length;
      if (!inHandshake) this.#found(header, length);
    }
  }

  /** The sequence starts anew with the first command, at 1. */
  #seeHandshake(start: Buffer): void {
    if (this.#inHandshake && start[3] !== 0 && start[4] === 0x00) this.#inHandshake = false;
  }
}
