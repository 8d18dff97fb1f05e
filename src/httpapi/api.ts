// The HTTP API over the web server. The files of this folder are the door to fastify; those under routes/
// are functions that know nothing of it.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OutpostError } from '../lifecycle/errors.ts';
import { bodyOf } from './body.ts';
import type { Piece } from './body-chunk.ts';
import { addCors } from './cors.ts';
import { packingFor } from './encoding.ts';
import { ENVELOPE_HEAD, envelopeTail } from './envelope.ts';
import { API_LIMITS, type ApiOptions } from './options.ts';
import { Parameters } from './parameters.ts';
import { problemOf } from './problem.ts';
import { RawBodies } from './raw-body.ts';
import { addRequestMetrics } from './request-metrics.ts';
import type { ApiAnswer, ApiRequest, ApiRoute, BytesAnswer, PlainAnswer } from './route.ts';
import { adminRoutes } from './routes/admin.ts';
import { exemplarRoutes } from './routes/exemplars.ts';
import { explainRoutes } from './routes/explain.ts';
import { featureRoutes } from './routes/features.ts';
import { federateRoutes } from './routes/federate.ts';
import { homeRoute } from './routes/home.ts';
import { labelRoutes } from './routes/labels.ts';
import { lifecycleRoutes } from './routes/lifecycle.ts';
import { metadataRoutes } from './routes/metadata.ts';
import { nothingRoutes } from './routes/nothing.ts';
import { openApiRoute } from './routes/openapi.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { queryRoutes } from './routes/query.ts';
import { queryTextRoutes } from './routes/query-text.ts';
import { readRoutes } from './routes/read.ts';
import { selfMetricsRoutes } from './routes/self-metrics.ts';
import { seriesRoutes } from './routes/series.ts';
import { statusRoutes } from './routes/status.ts';
import { storeStatusRoutes } from './routes/store-status.ts';
import { targetRoutes } from './routes/targets.ts';
import { walReplayRoutes } from './routes/wal-replay.ts';
import { writeRoutes } from './routes/write.ts';
import { sendProblem } from './send-problem.ts';
import { newServer } from './server.ts';

const JSON_TYPE = 'application/json';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Builds the API; `listen` serves it and `close` ends it. Where the options leave a part out, its path
 * answers with a sentence that says so.
 */
export function newApi(options: ApiOptions): FastifyInstance {
  const server = newServer({
    formBytesMax: options.limits?.formBytesMax ?? API_LIMITS.formBytesMax,
    logger: options.logger,
  });
  addRequestMetrics(server, options.registry);
  addCors(server, options.corsOrigin);
  for (const route of routesOf(options)) addRoute(server, route, options);
  return server;
}

function routesOf(options: ApiOptions): ApiRoute[] {
  const routes = [
    ...queryRoutes(options),
    ...explainRoutes(options),
    ...exemplarRoutes(options),
    ...seriesRoutes(options),
    ...labelRoutes(options),
    ...metadataRoutes(options),
    ...queryTextRoutes(options),
    ...nothingRoutes(),
    ...statusRoutes(options),
    ...walReplayRoutes(options),
    ...writeRoutes(options),
    ...readRoutes(options),
    ...targetRoutes(options),
    ...pluginRoutes(options),
    ...storeStatusRoutes(options),
    ...selfMetricsRoutes(options),
    ...featureRoutes(options),
    ...lifecycleRoutes(options),
    ...federateRoutes(options),
    ...adminRoutes(options),
    ...(options.routes ?? []),
  ];
  const all = [homeRoute(options, routes), ...routes];
  return [...all, openApiRoute(options, all)];
}

function addRoute(server: FastifyInstance, route: ApiRoute, options: ApiOptions): void {
  const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    serve(request, reply, { route, options });
  const { path: url, rawBodyBytesMax } = route;
  const method = [...route.methods];
  if (rawBodyBytesMax === undefined) server.route({ method, url, handler });
  else {
    const bodies = new RawBodies();
    server.register(async scope => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage) =>
        bodies.read(payload, rawBodyBytesMax),
      );
      const answered = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
        handler(request, reply).finally(() => {
          if (Buffer.isBuffer(request.body)) bodies.release(request.body);
        });
      scope.route({ method, url, handler: answered, bodyLimit: rawBodyBytesMax });
    });
  }
  const others = METHODS.filter(other => !method.some(known => known === other));
  server.route({
    method: others,
    url,
    handler: (request, reply) =>
      sendProblem(reply.header('allow', method.join(', ')), {
        status: 405,
        errorType: 'bad_data',
        message: `${request.method} is not allowed for ${url}; use ${method.join(' or ')}`,
      }),
  });
}

interface Served {
  readonly route: ApiRoute;
  readonly options: ApiOptions;
}

async function serve(
  request: FastifyRequest,
  reply: FastifyReply,
  { route, options }: Served,
): Promise<FastifyReply> {
  const asked = new AskedOnce(request, reply);
  try {
    if (!route.always && !options.ready()) {
      throw new OutpostError('unavailable', 'the store is not ready yet; see /-/ready');
    }
    const answer = await route.handle(asked);
    if (answer.kind === 'bytes') return sendBytes(reply, answer);
    if (answer.kind === 'plain') sendHead(reply, answer);
    if (answer.kind === 'plain' && answer.text === '' && !answer.pieces) return reply.send();
    return await sendBody(reply, answer, { options, signal: asked.signal });
  } catch (error) {
    const problem = problemOf(error);
    if (problem.status === 500) {
      const { method, url } = request;
      const err = error instanceof Error ? error.stack : String(error);
      options.logger.error('request ended with an internal error', { method, url, err });
    }
    return sendProblem(reply, problem);
  }
}

/** A request of which parts are made when they are asked for: many routes look at few. */
class AskedOnce implements ApiRequest {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #parameters: Parameters | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  get parameters(): Parameters {
    if (this.#parameters) return this.#parameters;
    const { body, url } = this.#request;
    const queryAt = url.indexOf('?');
    const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
    this.#parameters = new Parameters(typeof body === 'string' ? body : '', query);
    return this.#parameters;
  }

  get path(): Readonly<Record<string, string>> {
    return this.#request.params as Readonly<Record<string, string>>;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get url(): string {
    return this.#request.url;
  }

  get method(): string {
    return this.#request.method;
  }

  get client(): string {
    return this.#request.socket.remoteAddress ?? '';
  }

  get body(): Uint8Array {
    const { body } = this.#request;
    return Buffer.isBuffer(body) ? body : NOTHING;
  }

  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#reply);
    return this.#signal;
  }
}

const NOTHING = new Uint8Array(0);

function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const { raw } = reply;
  const tell = (): void => {
    if (raw.writableFinished) return;
    gone.abort(new OutpostError('canceled', 'the client closed the connection'));
  };
  if (raw.closed) tell();
  else raw.once('close', tell);
  return gone.signal;
}

function sendBytes(reply: FastifyReply, { body, contentType, headers }: BytesAnswer): FastifyReply {
  if (headers) reply.headers(headers);
  reply.type(contentType);
  return reply.send(
    body instanceof Uint8Array
      ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      : Readable.from(body, { objectMode: false }),
  );
}

function sendHead(reply: FastifyReply, answer: PlainAnswer): void {
  reply.code(answer.status);
  if (answer.headers) reply.headers(answer.headers);
}

async function sendBody(
  reply: FastifyReply,
  answer: Exclude<ApiAnswer, BytesAnswer>,
  { options, signal }: { readonly options: ApiOptions; readonly signal: AbortSignal },
): Promise<FastifyReply> {
  const { clock } = options;
  const { headers, socket } = reply.request;
  const packing = packingFor(headers, socket.remoteAddress);
  const pieces = answer.kind === 'pieces' ? answer : null;
  if (pieces?.release) {
    if (reply.raw.closed) pieces.release();
    else reply.raw.once('close', pieces.release);
  }
  const body = await bodyOf(piecesOf(answer), {
    packing,
    clock,
    signal,
    ...(pieces?.limit && { limit: pieces.limit }),
  });
  reply.type(answer.kind === 'plain' ? answer.contentType : JSON_TYPE);
  const vary = [reply.getHeader('vary'), 'Accept-Encoding'].filter(Boolean).join(', ');
  reply.header('vary', vary);
  if (body.packing !== null) reply.header('content-encoding', body.packing);
  return reply.send(body.payload);
}

function* piecesOf(answer: Exclude<ApiAnswer, BytesAnswer>): Generator<Piece> {
  if (answer.kind === 'plain') {
    yield answer.text;
    yield* answer.pieces ?? [];
    return;
  }
  yield ENVELOPE_HEAD;
  if (answer.kind === 'data') yield JSON.stringify(answer.data);
  else yield* answer.pieces;
  yield envelopeTail(answer.warnings ?? [], answer.infos ?? []);
}
