// The broker of hashicorp/go-plugin's gRPC protocol (github.com/hashicorp/go-plugin, grpc_broker.go), the
// same on both sides: either opens further connections to the other and announces them, by number, over one
// long-lived call. Multiplexing over one socket is not offered.

import { chmodSync, rmSync } from 'node:fs';
import { Client, Server } from '@grpc/grpc-js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import {
  channelCredentials,
  type Security,
  serverCredentials,
  TLS_CHANNEL_OPTIONS,
} from './tls.ts';

/** How long an announced connection may wait for the other side, and the other side for it. */
const PATIENCE_MS = 5_000;
/** Announcements that nobody has asked for yet. */
const ANNOUNCED_MAX = 100;
/** Largest message taken over a broker connection. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** Where a connection can be opened, as it travels. */
export interface ConnInfo {
  readonly serviceId: number;
  readonly network: string;
  readonly address: string;
}

export interface BrokerOptions {
  readonly clock: Clock;
  readonly security: Security;
  /** The path of a socket that is not there yet, `number` telling it from others. */
  readonly socketPath: (number: number) => string;
}

/** One side's broker. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #announced = new Map<number, ConnInfo>();
  readonly #awaited = new Map<number, (info: ConnInfo) => void>();
  readonly #unsent: ConnInfo[] = [];
  readonly #servers = new Map<Server, string>();
  readonly #clients: Client[] = [];
  #send: ((info: ConnInfo) => void) | null = null;
  #lastId = 0;
  #closed = false;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** The call to the other side is open; `send` announces over it. */
  attach(send: (info: ConnInfo) => void): void {
    this.#send = send;
    for (const info of this.#unsent.splice(0)) send(info);
  }

  /** The call has ended. */
  detach(): void {
    this.#send = null;
  }

  /** A number that this side has not used. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Takes an announcement of the other side. */
  receive(info: ConnInfo): void {
    const { serviceId } = info;
    const awaited = this.#awaited.get(serviceId);
    if (awaited) {
      this.#awaited.delete(serviceId);
      awaited(info);
      return;
    }
    if (this.#announced.size >= ANNOUNCED_MAX) return;
    this.#announced.set(serviceId, info);
    this.#options.clock.after(PATIENCE_MS, () => {
      if (this.#announced.get(serviceId) === info) this.#announced.delete(serviceId);
    });
  }

  /** Listens for the other side under `id` with the services that `add` adds; resolves once announced. */
  async accept(id: number, add: (server: Server) => void): Promise<void> {
    const { security, socketPath } = this.#options;
    const address = socketPath(id);
    const server = new Server({
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
    });
    add(server);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${address}`, serverCredentials(security), error =>
        error ? reject(error) : resolve(),
      );
    });
    this.#servers.set(server, address);
    // The two sides may be different users; who may enter the directory is what decides.
    chmodSync(address, 0o666);
    if (this.#closed) {
      this.close();
      return;
    }
    const info = { serviceId: id, network: 'unix', address };
    if (this.#send) this.#send(info);
    else this.#unsent.push(info);
  }

  /** Connects to what the other side announces under `id`; rejects when nothing is announced in 5 s. */
  async dial(id: number): Promise<Client> {
    const { network, address } = await this.#announcement(id);
    const target = network === 'unix' ? `unix:${address}` : address;
    const { security } = this.#options;
    const client = new Client(target, channelCredentials(security), {
      ...(security !== null && TLS_CHANNEL_OPTIONS),
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
    if (this.#closed) client.close();
    else this.#clients.push(client);
    return client;
  }

  /** Ends every connection in both directions. */
  close(): void {
    this.#closed = true;
    this.#send = null;
    for (const client of this.#clients.splice(0)) client.close();
    for (const [server, address] of this.#servers) {
      server.forceShutdown();
      rmSync(address, { force: true });
    }
    this.#servers.clear();
  }

  #announcement(id: number): Promise<ConnInfo> {
    const known = this.#announced.get(id);
    if (known) {
      this.#announced.delete(id);
      return Promise.resolve(known);
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(PATIENCE_MS, () => {
        this.#awaited.delete(id);
        const message = `open broker connection ${id}: the other side announces none in 5 s`;
        reject(new OutpostError('unavailable', message));
      });
      this.#awaited.set(id, info => {
        cancel();
        resolve(info);
      });
    });
  }
}
