// Which other web origins may read answers in a browser.

import type { FastifyInstance } from 'fastify';
import { compileAnchored } from '../labels/regex.ts';

const ANY = '.*';
const HEADERS = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
  vary: 'Origin',
} as const;

/** Adds the headers for origins that match `pattern` (RE2, anchored), and answers preflight requests. */
export function addCors(server: FastifyInstance, pattern: string | undefined): void {
  const regex = pattern === undefined ? null : compileAnchored(pattern);
  if (regex) {
    server.addHook('onRequest', (request, reply, done) => {
      const { origin } = request.headers;
      if (origin !== undefined) {
        reply.headers(HEADERS);
        if (pattern === ANY) reply.header('access-control-allow-origin', '*');
        else if (regex.matches(origin)) reply.header('access-control-allow-origin', origin);
      }
      done();
    });
  }
  server.options('/*', (_request, reply) => reply.code(204).send());
}
