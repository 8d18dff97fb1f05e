// Routes know requests and answers, not the web server: they are functions from parameters to data.

import type { IncomingHttpHeaders } from 'node:http';
import type { OutpostError } from '../lifecycle/errors.ts';
import type { Piece } from './body-chunk.ts';
import type { Parameters } from './parameters.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT';

/** One request. */
export interface ApiRequest {
  readonly parameters: Parameters;
  /** Named parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** The body of a route with `rawBody`; else empty. */
  readonly body: Uint8Array;
  /** The path as it was asked. */
  readonly url: string;
  readonly method: string;
  /** Address of the client. */
  readonly client: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** How large an answer may get. */
export interface BodyLimit {
  /** Most bytes before packing. */
  readonly bytesMax: number;
  /** The error of an answer that is larger; called at most once. */
  reached(): OutpostError;
}

/** What a route answers. Errors are thrown as OutpostError. */
export type ApiAnswer =
  /** The success envelope around small data. */
  | {
      readonly kind: 'data';
      readonly data: unknown;
      readonly warnings?: readonly string[];
      readonly infos?: readonly string[];
    }
  /** The success envelope around JSON text that comes in pieces. */
  | {
      readonly kind: 'pieces';
      readonly pieces: Iterable<Piece>;
      /** Called once nothing of the answer is held any more: it was sent, failed, or nobody wants it. */
      readonly release?: () => void;
      readonly limit?: BodyLimit;
      readonly warnings?: readonly string[];
      readonly infos?: readonly string[];
    }
  /** Bytes in a form of their own, which go out as they are. */
  | BytesAnswer
  /** Anything else. */
  | PlainAnswer;

/** A body that is no text. One that comes in pieces and fails ends the connection. */
export interface BytesAnswer {
  readonly kind: 'bytes';
  readonly contentType: string;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole answer. An empty text goes out without a type, unless there are pieces in its place. */
export interface PlainAnswer {
  readonly kind: 'plain';
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Long text, which comes in pieces. */
  readonly pieces?: Iterable<Piece>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One path. Its pattern names the handler in the request metrics. */
export interface ApiRoute {
  readonly methods: readonly HttpMethod[];
  /** From the root; `:name` takes one part of the path. */
  readonly path: string;
  /** Takes the body as bytes, whatever its content type, up to so many. */
  readonly rawBodyBytesMax?: number;
  /** Served before the store is ready. */
  readonly always?: boolean;
  handle(request: ApiRequest): Promise<ApiAnswer> | ApiAnswer;
}

/** A sentence in plain text. */
export function plainAnswer(status: number, text: string): ApiAnswer {
  return { kind: 'plain', status, contentType: 'text/plain; charset=utf-8', text };
}
