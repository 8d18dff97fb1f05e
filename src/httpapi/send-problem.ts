// How an error leaves: the error envelope as JSON.

import type { FastifyReply } from 'fastify';
import { type Problem, problemJson } from './problem.ts';

/** Answers with an error. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // As bytes: for a string the web server would add a charset that JSON does not have.
  const body = Buffer.from(problemJson(problem));
  return reply.code(problem.status).type('application/json').send(body);
}
