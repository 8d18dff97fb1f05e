// The one door to other hosts over HTTP: connections kept alive, one of Prometheus' ways to authorize, TLS,
// proxies, redirects, and bodies that are never longer than the caller can hold.

import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { gunzipSync } from 'node:zlib';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import { ConnectionAgents } from './agents.ts';
import type { HttpClientOptions } from './options.ts';
import { openTunnel, proxyFor, proxyHeaders } from './proxy.ts';
import { secretFile, secretText } from './secret.ts';
import { TokenSource } from './token.ts';

const REDIRECTS_MAX = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Ends the request; its reason is what the caller gets. */
  readonly signal: AbortSignal;
  /** Largest body after decompression; `limit-exceeded` beyond. */
  readonly bodyBytesMax: number;
  /** A unix socket to connect to instead of the address's host. */
  readonly socketPath?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  header(name: string): string;
  /** Decompressed. */
  readonly body: Uint8Array;
}

/** An answer whose body comes in pieces. */
export interface HttpStream {
  readonly status: number;
  header(name: string): string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** One client: its connections and its way to authorize. */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #agents: ConnectionAgents;
  readonly #tokens: TokenSource | null;
  readonly #tokenClient: HttpClient | null;

  /** `now`: Unix ms, for the life of tokens. */
  constructor(options: HttpClientOptions, now: () => number) {
    this.#options = options;
    this.#agents = new ConnectionAgents(options.tls);
    const { oauth2 } = options;
    const tokenClient = oauth2 ? new HttpClient(oauth2.client, now) : null;
    this.#tokenClient = tokenClient;
    this.#tokens =
      oauth2 && tokenClient
        ? new TokenSource(
            oauth2,
            (url, body, headers, limits) =>
              tokenClient.fetch({ url, method: 'POST', headers, body, ...limits }),
            now,
          )
        : null;
  }

  /**
   * Sends a request and reads the whole answer, whatever its status. Rejects with `unavailable` where the
   * host cannot be reached, `limit-exceeded` for a body that is too long, or the signal's reason.
   */
  async fetch(request: HttpRequest): Promise<HttpResponse> {
    const message = await this.#open(request);
    try {
      const body = await readBody(message, request.bodyBytesMax);
      return {
        status: message.statusCode ?? 0,
        statusText: message.statusMessage ?? '',
        header: name => headerOf(message, name),
        body,
      };
    } catch (error) {
      message.destroy();
      throw reasonOf(error, request);
    }
  }

  /** Sends a request; the answer's pieces are the caller's to read. Rejects as `fetch` does. */
  async stream(request: Omit<HttpRequest, 'bodyBytesMax'>): Promise<HttpStream> {
    const message = await this.#open({ ...request, bodyBytesMax: 0 });
    return {
      status: message.statusCode ?? 0,
      header: name => headerOf(message, name),
      chunks: message,
    };
  }

  /** Ends all connections. */
  close(): void {
    this.#agents.close();
    this.#tokenClient?.close();
  }

  async #open(request: HttpRequest): Promise<IncomingMessage> {
    const first = new URL(request.url);
    let url = first;
    for (let hops = 0; ; hops++) {
      const message = await this.#send(url, request, url.host === first.host);
      const location = headerOf(message, 'location');
      const status = message.statusCode ?? 0;
      if (!this.#options.followRedirects || !REDIRECTS.includes(status) || location === '') {
        return message;
      }
      message.resume();
      if (hops === REDIRECTS_MAX) {
        throw new OutpostError('unavailable', `stopped after ${REDIRECTS_MAX} redirects: ${url}`);
      }
      url = new URL(location, url);
    }
  }

  /** One exchange. Credentials go to the first host alone, wherever it points. */
  async #send(url: URL, request: HttpRequest, isTrusted: boolean): Promise<IncomingMessage> {
    const { signal, body } = request;
    try {
      const headers: OutgoingHttpHeaders = { ...request.headers };
      if (isTrusted) await this.#authorize(headers, signal);
      const options: RequestOptions = { method: request.method ?? 'GET', headers, signal };
      if (body !== undefined) headers['Content-Length'] = Buffer.byteLength(body);
      if (request.socketPath !== undefined) options.socketPath = request.socketPath;
      const route = await this.#route(url, options);
      return await exchange(route, options, body).catch(error => {
        // The peer closed a kept connection just as it was used again.
        if (error instanceof StaleConnection) return exchange(route, options, body);
        throw error;
      });
    } catch (error) {
      throw reasonOf(error, request);
    }
  }

  async #authorize(headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<void> {
    const { basicAuth, authorization, headers: own } = this.#options;
    for (const [name, { values, secrets, files }] of Object.entries(own)) {
      const fromFiles = files.map(file => secretFile(file).toString('utf8').trim());
      headers[name] = [...values, ...secrets, ...fromFiles];
    }
    if (basicAuth) {
      const user = `${secretText(basicAuth.username)}:${secretText(basicAuth.password)}`;
      headers['Authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
    } else if (authorization) {
      headers['Authorization'] = `${authorization.type} ${secretText(authorization.credentials)}`;
    } else if (this.#tokens) headers['Authorization'] = await this.#tokens.header(signal);
  }

  async #route(url: URL, options: RequestOptions): Promise<Route> {
    const isSecure = url.protocol === 'https:';
    const agent = isSecure ? this.#agents.https() : this.#agents.http;
    const proxy = options.socketPath === undefined ? proxyFor(this.#options.proxy, url) : null;
    if (proxy === null)
      return { url, send: isSecure ? httpsRequest : httpRequest, extra: { agent } };
    const forProxy = proxyHeaders(proxy, this.#options.proxy!);
    if (!isSecure) {
      Object.assign(options.headers ?? {}, forProxy, { Host: url.host });
      return { url: proxy, send: httpRequest, extra: { agent, path: url.href } };
    }
    const socket = await openTunnel(
      { proxy, target: url, headers: forProxy },
      this.#agents.tlsOptions(),
      options.signal!,
    );
    return { url, send: httpsRequest, extra: { agent: false, createConnection: () => socket } };
  }
}

interface Route {
  readonly url: URL;
  readonly send: typeof httpRequest;
  readonly extra: RequestOptions;
}

class StaleConnection extends Error {}

function exchange(
  { url, send, extra }: Route,
  options: RequestOptions,
  body: Uint8Array | string | undefined,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = send(url, { ...options, ...extra }, resolve);
  request.once('error', error => {
    const isStale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
    reject(isStale ? new StaleConnection() : error);
  });
  request.end(body);
  return promise;
}

async function readBody(message: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > bytesMax) reject(tooLong(bytesMax));
    else chunks.push(chunk);
  });
  message.once('end', resolve);
  message.once('error', reject);
  message.once('close', () => reject(new Error('the connection was closed within the answer')));
  await promise;
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
  if (headerOf(message, 'content-encoding') !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: Math.max(1, bytesMax) });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(bytesMax);
    throw new OutpostError('bad-data', 'unpack the answer: it is not gzip', { cause });
  }
}

function tooLong(bytesMax: number): OutpostError {
  return new OutpostError('limit-exceeded', `body size limit of ${bytesMax} bytes exceeded`);
}

function headerOf(message: IncomingMessage, name: string): string {
  const value = message.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

function reasonOf(error: unknown, { signal, url }: HttpRequest): unknown {
  if (signal.aborted) return OutpostError.from(signal.reason);
  if (error instanceof OutpostError) return error;
  const host = URL.canParse(url) ? new URL(url).host : url;
  return new OutpostError('unavailable', `ask ${host}: ${systemReason(error)}`, { cause: error });
}
