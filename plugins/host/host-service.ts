// outpost.plugin.v1.Host: what a plugin may ask of the agent, over a broker connection.

import { type Server, status } from '@grpc/grpc-js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { LogFields, LogLevel } from '../../src/telemetry/logger.ts';
import { readAttributes } from '../sdk/event-message.ts';
import { type Codec, StatusError, serviceOf, unary } from '../sdk/grpc-method.ts';
import type { PluginState } from './plugin-storage.ts';

const v1 = outpost.plugin.v1;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const MESSAGE_LENGTH_MAX = 2_000;
const QUERY_LENGTH_MAX = 10_000;
/** Values of one answer. */
const SAMPLES_MAX = 10_000;
/** Questions under way at once. */
const QUERIES_MAX = 4;

/** A value of an instant query. */
export interface QuerySample {
  /** The metric's name included. */
  readonly labels: Iterable<readonly [string, string]>;
  readonly value: number;
  /** Unix ms. */
  readonly time: number;
}

/** What answers a plugin's questions. */
export interface HostServices {
  /** An instant query; `time` is Unix ms, null for now. Rejects with OutpostError. */
  query(
    text: string,
    time: number | null,
  ): Promise<{ readonly samples: readonly QuerySample[]; readonly warnings: readonly string[] }>;
  log(level: LogLevel, message: string, fields: LogFields): void;
  readonly state: PluginState;
}

/** Adds the service for one plugin. */
export function addHostService(server: Server, services: HostServices): void {
  let asked = 0;
  server.addService(
    ...serviceOf({
      query: serve('Query', v1.HostQueryRequest, v1.HostQueryResponse, async request => {
        if (request.query.length > QUERY_LENGTH_MAX || asked >= QUERIES_MAX) {
          const text = `at most ${QUERIES_MAX} queries at once, of ${QUERY_LENGTH_MAX} characters`;
          throw new OutpostError('limit-exceeded', text);
        }
        asked++;
        try {
          const { samples, warnings } = await services.query(request.query, request.timeMs || null);
          if (samples.length > SAMPLES_MAX) {
            throw new OutpostError(
              'limit-exceeded',
              `the answer has more than ${SAMPLES_MAX} values`,
            );
          }
          return { samples: samples.map(writeSample), warnings: [...warnings] };
        } finally {
          asked--;
        }
      }),
      log: serve('Log', v1.LogRequest, v1.LogResponse, ({ level, message, attributes }) => {
        const known = LEVELS.find(each => each === level) ?? 'info';
        services.log(known, message.slice(0, MESSAGE_LENGTH_MAX), readAttributes(attributes));
        return {};
      }),
      getState: serve('GetState', v1.GetStateRequest, v1.GetStateResponse, async ({ key }) => {
        const value = await services.state.get(key);
        return value === null ? { found: false } : { found: true, value };
      }),
      putState: serve('PutState', v1.PutStateRequest, v1.PutStateResponse, async request => {
        await services.state.put(request.key, request.value ?? null);
        return {};
      }),
    }),
  );
}

function serve<Request, Response>(
  name: string,
  requests: Codec<never, Request>,
  responses: Codec<Response, unknown>,
  answer: (request: Request) => Response | Promise<Response>,
) {
  return unary(
    {
      path: `/outpost.plugin.v1.Host/${name}`,
      decode: (bytes: Buffer): Request => requests.decode(bytes),
      encode: (response: Response): Uint8Array => responses.encode(response).finish(),
    },
    async request => {
      try {
        return await answer(request);
      } catch (error) {
        throw asStatus(OutpostError.from(error));
      }
    },
  );
}

function asStatus({ code, message }: OutpostError): StatusError {
  if (code === 'limit-exceeded') return new StatusError(status.RESOURCE_EXHAUSTED, message);
  if (code === 'bad-data') return new StatusError(status.INVALID_ARGUMENT, message);
  if (code === 'unavailable') return new StatusError(status.UNAVAILABLE, message);
  if (code === 'timeout') return new StatusError(status.DEADLINE_EXCEEDED, message);
  return new StatusError(status.UNKNOWN, message);
}

function writeSample({ labels, value, time }: QuerySample) {
  return {
    labels: [...labels].map(([name, text]) => ({ name, value: text })),
    value,
    timeMs: time,
  };
}
