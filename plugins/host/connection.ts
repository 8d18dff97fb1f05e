// The gRPC side of the host: one connection to one plugin, the calls of proto/outpost/plugin/v1, health, the
// controller that ends it, the broker and the plugin's standard output.

import { Client, Metadata, type Server, type ServiceError } from '@grpc/grpc-js';
import { grpc as healthProto } from '../../proto/gen/grpc.health.v1.js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { plugin as control } from '../../proto/gen/plugin.js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { Broker } from '../sdk/broker.ts';
import { handshakePem, type Identity } from '../sdk/certificate.ts';
import type { Handshake } from '../sdk/handshake.ts';
import { channelCredentials, type Security, TLS_CHANNEL_OPTIONS } from '../sdk/tls.ts';
import { asBuffer, callError, isUnimplemented } from './call-error.ts';
import { CollectStream } from './collect-stream.ts';
import {
  BROKER,
  CALL,
  CAPTURE,
  CHECK,
  COLLECT,
  CONFIGURE,
  type Configuration,
  DESCRIBE,
  type Description,
  INVENTORY,
  type Method,
  PROBE,
  SHUTDOWN,
  STDIO,
  STREAM_EVENTS,
  STREAM_METRICS,
  VALIDATE,
} from './plugin-methods.ts';
import { readStream, type StreamLimits } from './server-stream.ts';

export type { Configuration, Description };

/** Largest answer taken: some fifty times what the series limit lets a plugin mean. */
export const RECEIVE_BYTES_MAX: number = 256 * 1024 * 1024;
/** For calls that do no work worth speaking of. */
const CALL_MS = 5_000;
/** Probing looks at hardware, which may take its time. */
const PROBE_MS = 30_000;
/** The number under which a plugin finds the host's services. */
const HOST_BROKER_ID = 1;
const HEALTH_SERVICE = 'plugin';
const { STATUS_APPLIED } = outpost.plugin.v1.ConfigureResponse.Status;
const { SERVING } = healthProto.health.v1.HealthCheckResponse.ServingStatus;

/** A mistake the plugin found in its configuration. */
export interface ConfigurationError {
  readonly path: string;
  readonly message: string;
}

/** What a probe found of one collector. */
export type Probed = outpost.plugin.v1.CollectorProbe.$Properties;

/** A call that takes events, and acknowledges them. */
export interface EventsCall {
  /** Events in the order in which they came; ends with the call. */
  readonly answers: AsyncIterable<outpost.plugin.v1.EventsResponse>;
  /** Every event up to `seq` is kept. */
  acknowledge(seq: number): void;
}

/** A connection to a plugin that has said where it listens. Every call has a deadline. */
export class PluginConnection {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #broker: Broker;
  #stream: CollectStream | null;
  #brokerIsOpen = false;
  #servesHost = false;

  /** With `streams` false each collection is a call of its own. */
  constructor(client: Client, clock: Clock, parts: { broker: Broker; streams: boolean }) {
    this.#client = client;
    this.#clock = clock;
    this.#broker = parts.broker;
    this.#stream = parts.streams ? new CollectStream(client, clock) : null;
  }

  describe(): Promise<Description> {
    return this.#call(DESCRIBE, {}, CALL_MS);
  }

  /** Resolves with the mistakes the plugin found; none means the configuration is in force. */
  async configure(configuration: Configuration): Promise<readonly ConfigurationError[]> {
    const hostBrokerId = this.#servesHost ? HOST_BROKER_ID : 0;
    return mistakes(await this.#call(CONFIGURE, { ...configuration, hostBrokerId }, CALL_MS));
  }

  /** Resolves with the mistakes that `configure` would find. */
  async validate(configuration: Configuration): Promise<readonly ConfigurationError[]> {
    return mistakes(await this.#call(VALIDATE, configuration, CALL_MS));
  }

  /** Resolves with what each collector that would run finds here. */
  async probe(configuration: Configuration): Promise<readonly Probed[]> {
    return (await this.#call(PROBE, configuration, PROBE_MS)).collectors;
  }

  /**
   * Lets the plugin call what `add` adds, from the next `configure` on. Resolves once it listens; a plugin
   * without a broker never calls.
   */
  async serveHost(add: (server: Server) => void): Promise<void> {
    this.#openBroker();
    await this.#broker.accept(HOST_BROKER_ID, add);
    this.#servesHost = true;
  }

  /** Connects to a server that the plugin announces over its broker. */
  dial(brokerId: number): Promise<Client> {
    this.#openBroker();
    return this.#broker.dial(brokerId);
  }

  /** What the plugin prints after its handshake; ends where it does not tell. */
  async *output(signal: AbortSignal): AsyncGenerator<{ isError: boolean; data: Uint8Array }, void> {
    const limits = { bytesMax: Number.POSITIVE_INFINITY, signal };
    for await (const { channel, data } of this.#read(STDIO, {}, limits)) {
      yield { isError: channel === control.StdioData.Channel.STDERR, data };
    }
  }

  /** Encoded answers with samples whose time the plugin chose. */
  streamMetrics(limits: StreamLimits): AsyncGenerator<Uint8Array, void> {
    return this.#read(STREAM_METRICS, {}, limits);
  }

  /** Opens a call for events after `resumeAfter`. */
  streamEvents(resumeAfter: string, unackedMax: number, signal: AbortSignal): EventsCall {
    const { path, decode } = STREAM_EVENTS;
    const call = this.#client.makeBidiStreamRequest(path, asBuffer, decode, new Metadata(), {});
    const cancel = (): void => call.cancel();
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    call.on('close', () => signal.removeEventListener('abort', cancel));
    // Told to whoever iterates.
    call.on('error', () => {});
    call.write(STREAM_EVENTS.encode({ resumeAfter, unackedMax }));
    return {
      answers: withErrors(path, call),
      acknowledge: ackedSeq => void call.write(STREAM_EVENTS.encode({ ackedSeq })),
    };
  }

  /** What there is, and changes of it. */
  inventory(limits: StreamLimits): AsyncGenerator<outpost.plugin.v1.InventoryUpdate, void> {
    return this.#read(INVENTORY, {}, limits);
  }

  /** Runs a function; `args` is a JSON object as text. */
  callFunction(
    name: string,
    args: string,
    limits: StreamLimits,
  ): AsyncGenerator<outpost.plugin.v1.CallResponse, void> {
    return this.#read(CALL, { function: name, args }, limits);
  }

  /** The plugin's part of an incident snapshot, at most `limits.bytesMax` bytes of it. */
  capture(
    trigger: string,
    limits: StreamLimits,
  ): AsyncGenerator<outpost.plugin.v1.CaptureResponse, void> {
    return this.#read(
      CAPTURE,
      { trigger, bytesMax: limits.bytesMax },
      {
        ...limits,
        // Names and types come on top of the data.
        bytesMax: limits.bytesMax * 2 + 64 * 1024,
      },
    );
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

  /** Whether the plugin, or what `service` names of it, says it serves; rejects when it does not answer. */
  async serves(service: string = HEALTH_SERVICE): Promise<boolean> {
    const answer = await this.#call(CHECK, { service }, CALL_MS);
    return answer.status === SERVING;
  }

  /** Asks the plugin to end. A connection that breaks is an answer too. */
  async shutdown(deadlineMs: number): Promise<void> {
    await this.#call(SHUTDOWN, {}, deadlineMs).catch(() => {});
  }

  /** Ends open calls and the connection. */
  close(): void {
    this.#stream?.close();
    this.#broker.close();
    this.#client.close();
  }

  #openBroker(): void {
    if (this.#brokerIsOpen) return;
    this.#brokerIsOpen = true;
    const { path, encode, decode } = BROKER;
    const call = this.#client.makeBidiStreamRequest(
      path,
      (info: control.ConnInfo.$Properties) => asBuffer(encode(info)),
      decode,
      new Metadata(),
      {},
    );
    this.#broker.attach(info => void call.write(info));
    call.on('data', ({ serviceId, network, address }: control.ConnInfo) => {
      this.#broker.receive({ serviceId, network, address });
    });
    // A plugin without a broker answers UNIMPLEMENTED; it calls nobody and is called by nobody.
    call.on('error', () => this.#broker.detach());
  }

  #read<Request, Response>(
    { path, encode, decode }: Method<Request, Response>,
    request: Request,
    limits: StreamLimits,
  ): AsyncGenerator<Response, void> {
    return readStream(
      this.#client,
      this.#clock,
      { path, request: encode(request), decode },
      limits,
    );
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

/** How to connect. */
export interface ConnectOptions {
  /** False: each collection is a call of its own. */
  readonly streams?: boolean;
  /** The host's certificate, where the plugin was offered AutoMTLS; it has to answer with one then. */
  readonly identity?: Identity | null;
  /** The path of a socket for the plugin to connect back to, another for each number. */
  readonly socketPath?: (number: number) => string;
  /** Largest message taken; RECEIVE_BYTES_MAX where absent. */
  readonly receiveBytesMax?: number;
}

/** Opens a connection to where the handshake points. Does not wait for it; the first call does. */
export function connectPlugin(
  handshake: Handshake,
  clock: Clock,
  options: ConnectOptions = {},
): PluginConnection {
  const { network, address } = handshake;
  const security = securityFor(handshake, options.identity ?? null);
  const target = network === 'unix' ? `unix:${address}` : address;
  const client = new Client(target, channelCredentials(security), {
    ...(security !== null && TLS_CHANNEL_OPTIONS),
    'grpc.max_receive_message_length': options.receiveBytesMax ?? RECEIVE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  const socketPath = options.socketPath ?? (number => `${address}-h${number}`);
  const broker = new Broker({ clock, security, socketPath });
  return new PluginConnection(client, clock, { broker, streams: options.streams ?? true });
}

/** The one place that decides how a connection is secured: as in go-plugin, both sides or neither. */
function securityFor({ certificate }: Handshake, identity: Identity | null): Security {
  if (identity === null && certificate === '') return null;
  if (identity === null) {
    throw new OutpostError(
      'unavailable',
      'connect to a plugin: it answers with a certificate although it was offered none',
    );
  }
  if (certificate === '') {
    throw new OutpostError(
      'unavailable',
      'connect to a plugin: it answers without a certificate although it was offered AutoMTLS; ' +
        'set auto_mtls: false for a plugin that does not speak TLS',
    );
  }
  try {
    return { own: identity, peerPem: handshakePem(certificate) };
  } catch (cause) {
    const text = `connect to a plugin: its certificate cannot be read: ${String(cause)}`;
    throw new OutpostError('unavailable', text, { cause });
  }
}

function mistakes(response: outpost.plugin.v1.ConfigureResponse): readonly ConfigurationError[] {
  if (response.status === STATUS_APPLIED) return [];
  if (response.errors.length === 0) return [{ path: '', message: 'rejected without a reason' }];
  return response.errors.map(({ path, message }) => ({ path: path ?? '', message: message ?? '' }));
}

async function* withErrors<Answer>(
  path: string,
  answers: AsyncIterable<Answer>,
): AsyncGenerator<Answer, void> {
  try {
    yield* answers;
  } catch (error) {
    throw callError(path, error as ServiceError);
  }
}
