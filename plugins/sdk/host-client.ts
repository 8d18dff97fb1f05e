// The host's services as a plugin asks them: outpost.plugin.v1.Host over a broker connection, dialled when
// it is asked for the first time.

import { type Client, Metadata } from '@grpc/grpc-js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { LogFields, LogLevel } from '../../src/telemetry/logger.ts';
import { writeAttributes } from './event-message.ts';
import type { AttributeValue } from './events.ts';
import { asBuffer, type Codec } from './grpc-method.ts';
import type { HostApi, HostSample } from './host-api.ts';

const v1 = outpost.plugin.v1;
/** A host that has not answered by then does not count on being waited for. */
const CALL_MS = 10_000;

/** The host behind a connection. */
export class HostClient implements HostApi {
  readonly #dial: () => Promise<Client>;
  readonly #clock: Clock;
  #client: Promise<Client> | null = null;

  constructor(dial: () => Promise<Client>, clock: Clock) {
    this.#dial = dial;
    this.#clock = clock;
  }

  /** Opens the connection if it is not open; a number of the broker has to be dialled soon. */
  connect(): void {
    this.#connected().catch(() => {});
  }

  async query(text: string, time = 0): Promise<readonly HostSample[]> {
    const request = { query: text, timeMs: time };
    const answer = await this.#call('Query', v1.HostQueryRequest, v1.HostQueryResponse, request);
    return answer.samples.map(({ labels, value, timeMs }) => ({
      labels: Object.fromEntries((labels ?? []).map(l => [l.name ?? '', l.value ?? ''])),
      value: value ?? 0,
      time: timeMs ?? 0,
    }));
  }

  async log(level: LogLevel, message: string, fields: LogFields = {}): Promise<void> {
    const simple = Object.entries(fields).map(([k, v]) => [k, simpleValue(v)] as const);
    const attributes = writeAttributes(Object.fromEntries(simple));
    await this.#call('Log', v1.LogRequest, v1.LogResponse, { level, message, attributes });
  }

  readonly state: HostApi['state'] = {
    get: async key => {
      const answer = await this.#call('GetState', v1.GetStateRequest, v1.GetStateResponse, { key });
      return answer.found ? Uint8Array.from(answer.value) : null;
    },
    put: async (key, value) => {
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      const request = { key, ...(bytes !== null && { value: bytes }) };
      await this.#call('PutState', v1.PutStateRequest, v1.PutStateResponse, request);
    },
  };

  #connected(): Promise<Client> {
    this.#client ??= this.#dial();
    return this.#client;
  }

  async #call<In, Out>(
    name: string,
    requests: Codec<In, unknown>,
    responses: Codec<never, Out>,
    request: In,
  ): Promise<Out> {
    const client = await this.#connected();
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/outpost.plugin.v1.Host/${name}`,
        (value: In) => asBuffer(requests.encode(value).finish()),
        bytes => responses.decode(bytes),
        request,
        new Metadata(),
        { deadline: this.#clock.now() + CALL_MS },
        (error, answer) => {
          if (error) {
            const text = `ask the host, ${name}: ${error.details || error.message}`;
            reject(new OutpostError('unavailable', text, { cause: error }));
          } else resolve(answer!);
        },
      );
    });
  }
}

function simpleValue(value: unknown): AttributeValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return JSON.stringify(value) ?? String(value);
}
