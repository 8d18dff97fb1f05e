// The web server with its limits, and what it says where no route is reached.

import type { Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { LABEL_NAME_LENGTH_MAX } from '../labels/validate.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Problem, problemJson } from './problem.ts';
import { sendProblem } from './send-problem.ts';

const HEADER_BYTES_MAX = 64 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
// A character of a label name takes at most this many in a path: `_1f631_`, percent-encoded or not.
const PATH_CHARACTERS_EACH_MAX = 9;
const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';
const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface ServerOptions {
  readonly formBytesMax: number;
  readonly logger: Logger;
}

/** A server without routes. Form bodies reach handlers as text, other bodies are read and dropped. */
export function newServer({ formBytesMax, logger }: ServerOptions): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: formBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    routerOptions: {
      maxParamLength: LABEL_NAME_LENGTH_MAX * PATH_CHARACTERS_EACH_MAX,
      // Parameters reads the query string, so that forms and URLs are read alike.
      querystringParser: () => ({}),
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      // The declared reply is generic over schemas that this server does not use.
      const plain = reply as unknown as FastifyReply;
      sendProblem(plain, problemOfServer(error));
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(FORM_TYPE, { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));
  server.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500)
      logger.error('request ended with an error', { url: request.url, err: error.stack });
    // A connection that is closed while the client writes loses the answer; what comes is dropped instead.
    if (error.code === TOO_LARGE) reply.header('connection', 'keep-alive');
    return sendProblem(reply, problemOfServer(error));
  });
  server.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split('?', 1);
    const message = `there is no ${path}; the query API lies under /api/v1/`;
    return sendProblem(reply, { status: 404, errorType: 'not_found', message });
  });
  return server;
}

function statusOf(error: FastifyError): number {
  return error.statusCode ?? 500;
}

function problemOfServer(error: FastifyError): Problem {
  const status = statusOf(error);
  const errorType = status >= 500 ? 'internal' : 'bad_data';
  return { status, errorType, message: sentenceOf(error) };
}

function sentenceOf(error: FastifyError): string {
  if (error.code === TOO_LARGE) {
    return 'the request body is larger than this server takes; send less at a time';
  }
  return error.message;
}

/** Answers what is not even a request that could be routed, on the bare connection. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [
          431,
          'Request Header Fields Too Large',
          `URL and headers exceed ${HEADER_BYTES_MAX} bytes; send the query in a POST form`,
        ]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'the request did not arrive in time']
        : [400, 'Bad Request', 'this is not an HTTP/1.1 request'];
  const body = problemJson({
    status: Number(status),
    errorType: 'bad_data',
    message: String(message),
  });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
