// A server on loopback or a unix socket that answers as a test says, and remembers what it was asked.

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What is answered; plain text with status 200 where nothing is said. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Packs the body where the client takes gzip. */
  readonly packs?: boolean;
  /** Never answers. */
  readonly hangs?: boolean;
}

/** A request as it came. */
export interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A running server; `close` belongs into afterEach. */
export class TargetServer {
  readonly asked: Asked[] = [];
  answer: (asked: Asked) => Answer = () => ({ body: 'a 1\n' });
  /** Connections that were opened. */
  connections = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then(body => {
        const { url = '', method = '', headers } = request;
        const asked = { url, method, headers, body };
        this.asked.push(asked);
        const answer = this.answer(asked);
        if (answer.hangs) return;
        const packs = answer.packs && String(headers['accept-encoding']).includes('gzip');
        response.writeHead(answer.status ?? 200, {
          'Content-Type': 'text/plain; version=0.0.4',
          ...(packs && { 'Content-Encoding': 'gzip' }),
          ...answer.headers,
        });
        const text = Buffer.from(answer.body ?? '');
        response.end(packs ? gzipSync(text) : text);
      });
    });
    this.#server.on('connection', () => this.connections++);
  }

  /** On a free port of loopback, or on a socket. */
  static async listen(socketPath?: string): Promise<TargetServer> {
    const server = new TargetServer();
    await new Promise<void>(resolve => {
      if (socketPath === undefined) server.#server.listen(0, '127.0.0.1', resolve);
      else server.#server.listen(socketPath, resolve);
    });
    return server;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
