// The gRPC side of the host: one connection to one plugin, the calls of proto/outpost/plugin/v1 with our
// own codecs, health, and the controller that ends it.

import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { grpc as healthProto } from '../../proto/gen/grpc.health.v1.js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { plugin as controllerProto } from '../../proto/gen/plugin.js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Handshake } from '../sdk/handshake.ts';
import { asBuffer, callError, isUnimplemented } from './call-error.ts';
import { CollectStream } from './collect-stream.ts';

const { ConfigureRequest, ConfigureResponse, CollectRequest, DescribeRequest, DescribeResponse } =
  outpost.plugin.v1;
const { HealthCheckRequest, HealthCheckResponse } = healthProto.health.v1;

/** Largest answer taken: some fifty times what the series limit lets a plugin mean. */
const RECEIVE_BYTES_MAX = 256 * 1024 * 1024;
/** For calls that do no work worth speaking of. */
const CALL_MS = 5_000;
const HEALTH_SERVICE = 'plugin';

/** What a plugin says about itself. */
export type Description = outpost.plugin.v1.DescribeResponse;
/** What a plugin is told. */
export type Configuration = outpost.plugin.v1.ConfigureRequest.$Properties;

/** A mistake the plugin found in its configuration. */
export interface ConfigurationError {
  readonly path: string;
  readonly message: string;
}

interface Method<Request, Response> {
  readonly path: string;
  readonly encode: (request: Request) => Uint8Array;
  readonly decode: (bytes: Buffer) => Response;
}

const PLUGIN = '/outpost.plugin.v1.Plugin';
const DESCRIBE: Method<outpost.plugin.v1.DescribeRequest.$Properties, Description> = {
  path: `${PLUGIN}/Describe`,
  encode: request => DescribeRequest.encode(request).finish(),
  decode: bytes => DescribeResponse.decode(bytes),
};
const CONFIGURE: Method<Configuration, outpost.plugin.v1.ConfigureResponse> = {
  path: `${PLUGIN}/Configure`,
  encode: request => ConfigureRequest.encode(request).finish(),
  decode: bytes => ConfigureResponse.decode(bytes),
};
const COLLECT: Method<outpost.plugin.v1.CollectRequest.$Properties, Uint8Array> = {
  path: `${PLUGIN}/Collect`,
  encode: request => CollectRequest.encode(request).finish(),
  decode: bytes => bytes,
};
const CHECK: Method<
  healthProto.health.v1.HealthCheckRequest.$Properties,
  healthProto.health.v1.HealthCheckResponse
> = {
  path: '/grpc.health.v1.Health/Check',
  encode: request => HealthCheckRequest.encode(request).finish(),
  decode: bytes => HealthCheckResponse.decode(bytes),
};
const SHUTDOWN: Method<controllerProto.Empty.$Properties, unknown> = {
  path: '/plugin.GRPCController/Shutdown',
  encode: request => controllerProto.Empty.encode(request).finish(),
  decode: bytes => bytes,
};

/** A connection to a plugin that has said where it listens. Every call has a deadline. */
export class PluginConnection {
  readonly #client: Client;
  readonly #clock: Clock;
  #stream: CollectStream | null;

  /** With `streams` false each collection is a call of its own. */
  constructor(client: Client, clock: Clock, streams: boolean) {
    this.#client = client;
    this.#clock = clock;
    this.#stream = streams ? new CollectStream(client, clock) : null;
  }

  describe(): Promise<Description> {
    return this.#call(DESCRIBE, {}, CALL_MS);
  }

  /** Resolves with the mistakes the plugin found; none means the configuration is in force. */
  async configure(configuration: Configuration): Promise<readonly ConfigurationError[]> {
    const response = await this.#call(CONFIGURE, configuration, CALL_MS);
    if (response.status === ConfigureResponse.Status.STATUS_APPLIED) return [];
    if (response.errors.length === 0) return [{ path: '', message: 'rejected without a reason' }];
    return response.errors.map(({ path, message }) => ({
      path: path ?? '',
      message: message ?? '',
    }));
  }

  /** Asks for one collection, none other being under way; resolves with the encoded answer. */
  async collect(timeMs: number, definitionSeq: number, deadlineMs: number): Promise<Uint8Array> {
    const request = { timeMs, definitionSeq };
    if (this.#stream !== null) {
      try {
        return await this.#stream.ask(COLLECT.encode(request), deadlineMs);
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        this.#stream = null;
      }
    }
    return this.#call(COLLECT, request, deadlineMs);
  }

  /** Whether the plugin says it serves; rejects when it does not answer. */
  async serves(): Promise<boolean> {
    const answer = await this.#call(CHECK, { service: HEALTH_SERVICE }, CALL_MS);
    return answer.status === HealthCheckResponse.ServingStatus.SERVING;
  }

  /** Asks the plugin to end. A connection that breaks is an answer too. */
  async shutdown(deadlineMs: number): Promise<void> {
    await this.#call(SHUTDOWN, {}, deadlineMs).catch(() => {});
  }

  /** Ends open calls and the connection. */
  close(): void {
    this.#stream?.close();
    this.#client.close();
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    deadlineMs: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        (value: Request) => asBuffer(method.encode(value)),
        method.decode,
        request,
        new Metadata(),
        { deadline: this.#clock.now() + deadlineMs },
        (error, response) => {
          if (error) reject(callError(method.path, error));
          else resolve(response!);
        },
      );
    });
  }
}

/** Opens a connection to where the handshake points. Does not wait for it; the first call does. */
export function connectPlugin(
  handshake: Handshake,
  clock: Clock,
  options: { readonly streams?: boolean } = {},
): PluginConnection {
  const { network, address } = handshake;
  const target = network === 'unix' ? `unix:${address}` : address;
  const client = new Client(target, credentialsFor(handshake), {
    'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  return new PluginConnection(client, clock, options.streams ?? true);
}

/** The one place that decides how a connection is secured. */
function credentialsFor({ certificate }: Handshake): ReturnType<typeof credentials.createInsecure> {
  if (certificate !== '') {
    throw new OutpostError(
      'unavailable',
      'connect to a plugin: it answers with a certificate, and this host does not offer AutoMTLS',
    );
  }
  return credentials.createInsecure();
}
