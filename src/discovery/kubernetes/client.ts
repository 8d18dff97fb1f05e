// The one place that speaks to a Kubernetes API server: lists of objects and watches of their changes.
// Protocol: kubernetes.io/docs/reference/using-api/api-concepts.

import { HttpClient } from '../../http-client/client.ts';
import type { HttpClientOptions } from '../../http-client/options.ts';
import { OutpostError } from '../../lifecycle/errors.ts';

const BODY_BYTES_MAX = 256 * 1024 * 1024;
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const PAGE = 500;

/** Where an API server is, and how it is spoken to. */
export interface KubernetesServer {
  /** '' where there is none; `reason` then says why. */
  readonly url: string;
  readonly reason?: string;
  readonly http: HttpClientOptions;
}

/** An object of the API: as much of it as is the same for all kinds. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
}

/** Which objects: a path such as `/api/v1/pods`, and selectors in the API's own words. */
export interface ObjectQuery {
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Objects as they were at a version. */
export interface ObjectList {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
}

/** One change. `expired`: the version is too old, and everything has to be listed anew. */
export type ObjectChange =
  | { readonly kind: 'set' | 'delete'; readonly object: KubernetesObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  | { readonly kind: 'expired' };

/** A client of one API server. */
export class KubernetesClient {
  readonly #server: KubernetesServer;
  readonly #http: HttpClient;
  readonly #userAgent: string;

  /** `now`: Unix ms. */
  constructor(server: KubernetesServer, userAgent: string, now: () => number) {
    this.#server = server;
    this.#userAgent = userAgent;
    this.#http = new HttpClient(server.http, now);
  }

  /** All objects, page by page. Rejects with `unavailable` or `bad-data`. */
  async list(query: ObjectQuery, signal: AbortSignal): Promise<ObjectList> {
    const items: KubernetesObject[] = [];
    let page = '';
    for (;;) {
      const url = this.#url(query, { limit: String(PAGE), ...(page && { continue: page }) });
      const answer = await this.#http.fetch({
        url,
        headers: this.#headers(),
        signal,
        bodyBytesMax: BODY_BYTES_MAX,
      });
      if (answer.status !== 200) throw refused(query, answer.status);
      const list = parseList(Buffer.from(answer.body).toString('utf8'), query);
      items.push(...list.items);
      page = list.page;
      if (page === '') return { items, resourceVersion: list.resourceVersion };
    }
  }

  /** Changes after a version, until the server ends the stream. Rejects as `list` does. */
  async *watch(
    query: ObjectQuery,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<ObjectChange> {
    const url = this.#url(query, { watch: 'true', allowWatchBookmarks: 'true', resourceVersion });
    const stream = await this.#http.stream({ url, headers: this.#headers(), signal });
    if (stream.status === 410) yield { kind: 'expired' };
    if (stream.status !== 200) {
      if (stream.status === 410) return;
      throw refused(query, stream.status);
    }
    for await (const line of linesOf(stream.chunks)) {
      const change = changeOf(line);
      if (change !== null) yield change;
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#http.close();
  }

  #headers(): Record<string, string> {
    return { Accept: 'application/json', 'User-Agent': this.#userAgent };
  }

  #url(query: ObjectQuery, more: Readonly<Record<string, string>>): string {
    const { url, reason } = this.#server;
    if (url === '') throw new OutpostError('unavailable', reason ?? 'no Kubernetes API server');
    const { path, labelSelector, fieldSelector } = query;
    const parameters = new URLSearchParams({
      ...more,
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    });
    return `${url.replace(/\/$/, '')}${path}?${parameters}`;
  }
}

function refused({ path }: ObjectQuery, status: number): OutpostError {
  const mend = status === 403 ? '; the service account needs the rights get, list and watch' : '';
  return new OutpostError(
    'unavailable',
    `ask Kubernetes for ${path}: it answered ${status}${mend}`,
  );
}

interface ListAnswer {
  readonly items?: unknown;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

function parseList(text: string, { path }: ObjectQuery): ObjectList & { page: string } {
  let answer: ListAnswer;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new OutpostError('bad-data', `read Kubernetes' answer for ${path}`, { cause });
  }
  const items = Array.isArray(answer.items) ? answer.items.filter(isObject) : [];
  const { resourceVersion = '', continue: page = '' } = answer.metadata ?? {};
  return { items, resourceVersion, page };
}

function isObject(value: unknown): value is KubernetesObject {
  if (typeof value !== 'object' || value === null) return false;
  const { metadata } = value as { metadata?: { name?: unknown } | null };
  return typeof metadata?.name === 'string';
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > LINE_BYTES_MAX) {
      throw new OutpostError('limit-exceeded', 'a change of a Kubernetes object beyond 16 MiB');
    }
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter(line => line !== '');
  }
}

function changeOf(line: string): ObjectChange | null {
  let event: { type?: unknown; object?: unknown };
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new OutpostError('bad-data', 'read a change of a Kubernetes object', { cause });
  }
  const { type, object } = event;
  if (type === 'ERROR') return { kind: 'expired' };
  if (type === 'BOOKMARK') {
    const { metadata } = object as { metadata?: { resourceVersion?: string } };
    return { kind: 'bookmark', resourceVersion: metadata?.resourceVersion ?? '' };
  }
  if (!isObject(object)) return null;
  if (type === 'ADDED' || type === 'MODIFIED') return { kind: 'set', object };
  return type === 'DELETED' ? { kind: 'delete', object } : null;
}
