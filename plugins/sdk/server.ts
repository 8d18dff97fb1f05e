// The plugin's gRPC side: Plugin, health and the controller that ends it. GRPCBroker and GRPCStdio are left
// out; go-plugin hosts take UNIMPLEMENTED for an answer there.

import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { grpc as healthProto } from '../../proto/gen/grpc.health.v1.js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { plugin as controllerProto } from '../../proto/gen/plugin.js';
import type { ConfigProblem, PluginConfig } from './configuration.ts';
import { readConfiguration } from './configure-request.ts';
import { optionsSchema } from './options.ts';
import type { PluginRuntime } from './runtime.ts';

const { ConfigureRequest, ConfigureResponse, CollectRequest, DescribeRequest, DescribeResponse } =
  outpost.plugin.v1;
const { HealthCheckRequest, HealthCheckResponse } = healthProto.health.v1;

/** Name under which a plugin's health is asked for. */
export const HEALTH_SERVICE = 'plugin';

/** A server that listens. */
export interface PluginServer {
  /** Ends open calls and closes the socket. */
  close(): void;
}

/**
 * Serves the runtime on a unix socket; resolves once it listens. `onShutdown` runs when the host asks the
 * plugin to end, after the answer has been handed over.
 */
export async function servePlugin(
  runtime: PluginRuntime,
  socket: string,
  onShutdown: () => void,
): Promise<PluginServer> {
  const server = new Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  addPluginService(server, runtime);
  addHealthService(server);
  addController(server, onShutdown);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    );
  });
  return { close: () => server.forceShutdown() };
}

interface Codec<Request, Response> {
  readonly path: string;
  readonly decode: (bytes: Buffer) => Request;
  readonly encode: (response: Response) => Uint8Array;
  readonly answer: (request: Request) => Response | Promise<Response>;
}

function unary<Request, Response>(codec: Codec<Request, Response>) {
  return {
    definition: {
      path: codec.path,
      requestStream: false,
      responseStream: false,
      requestDeserialize: codec.decode,
      requestSerialize: () => Buffer.alloc(0),
      responseSerialize: (response: Response) => asBuffer(codec.encode(response)),
      responseDeserialize: () => null,
    },
    async handle(
      call: ServerUnaryCall<Request, Response>,
      callback: sendUnaryData<Response>,
    ): Promise<void> {
      try {
        callback(null, await codec.answer(call.request));
      } catch (error) {
        const code = error instanceof StatusError ? error.code : status.UNKNOWN;
        callback({ code, details: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}

class StatusError extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function addPluginService(server: Server, runtime: PluginRuntime): void {
  const service = '/outpost.plugin.v1.Plugin/';
  const describe = unary<unknown, outpost.plugin.v1.DescribeResponse.$Properties>({
    path: `${service}Describe`,
    decode: bytes => DescribeRequest.decode(bytes),
    encode: response => DescribeResponse.encode(response).finish(),
    answer: () => description(runtime),
  });
  const configure = unary<
    outpost.plugin.v1.ConfigureRequest,
    outpost.plugin.v1.ConfigureResponse.$Properties
  >({
    path: `${service}Configure`,
    decode: bytes => ConfigureRequest.decode(bytes),
    encode: response => ConfigureResponse.encode(response).finish(),
    answer: request => applyConfiguration(request, config => runtime.configure(config)),
  });
  const collect = unary({
    path: `${service}Collect`,
    decode: bytes => CollectRequest.decode(bytes),
    encode: (bytes: Uint8Array) => bytes,
    answer: request => runtime.collect(request.timeMs, request.definitionSeq),
  });
  server.addService(
    {
      describe: describe.definition,
      configure: configure.definition,
      collect: collect.definition,
      collectStream: {
        ...collect.definition,
        path: `${service}CollectStream`,
        requestStream: true,
        responseStream: true,
      },
    },
    {
      describe: describe.handle,
      configure: configure.handle,
      collect: collect.handle,
      collectStream: (call: CollectCall) => answerStream(runtime, call),
    },
  );
}

type CollectCall = ServerDuplexStream<outpost.plugin.v1.CollectRequest, Uint8Array>;

// The runtime makes one collection after the other, so answers keep the order of the requests.
function answerStream(runtime: PluginRuntime, call: CollectCall): void {
  call.on('data', (request: outpost.plugin.v1.CollectRequest) => {
    runtime.collect(request.timeMs, request.definitionSeq).then(
      bytes => call.writable && call.write(bytes),
      error => call.emit('error', { code: status.UNKNOWN, details: String(error.message) }),
    );
  });
  call.on('end', () => call.end());
  // A host that goes away ends its call so; there is nobody left to tell.
  call.on('error', () => {});
}

function description(runtime: PluginRuntime): outpost.plugin.v1.DescribeResponse.$Properties {
  const { name, version, collectors } = runtime.plugin;
  return {
    name,
    version,
    collectors: collectors.map(collector => ({
      name: collector.name,
      help: collector.help,
      defaultEnabled: collector.defaultEnabled,
      optionsSchema: JSON.stringify(optionsSchema(collector.options)),
      instances: collector.instances,
      capabilities: [...collector.capabilities],
      intervalMs: collector.intervalMs,
    })),
  };
}

function applyConfiguration(
  request: outpost.plugin.v1.ConfigureRequest,
  apply: (config: PluginConfig) => readonly ConfigProblem[],
): outpost.plugin.v1.ConfigureResponse.$Properties {
  const { STATUS_APPLIED, STATUS_REJECTED } = ConfigureResponse.Status;
  const read = readConfiguration(request);
  const errors = 'problems' in read ? read.problems : apply(read.config);
  return {
    status: errors.length === 0 ? STATUS_APPLIED : STATUS_REJECTED,
    errors: errors.map(({ path, message }) => ({ path, message })),
  };
}

function addHealthService(server: Server): void {
  const check = unary<
    healthProto.health.v1.HealthCheckRequest,
    healthProto.health.v1.HealthCheckResponse.$Properties
  >({
    path: '/grpc.health.v1.Health/Check',
    decode: bytes => HealthCheckRequest.decode(bytes),
    encode: response => HealthCheckResponse.encode(response).finish(),
    answer({ service }) {
      if (service !== '' && service !== HEALTH_SERVICE) {
        throw new StatusError(status.NOT_FOUND, `health of an unknown service: ${service}`);
      }
      return { status: HealthCheckResponse.ServingStatus.SERVING };
    },
  });
  server.addService({ check: check.definition }, { check: check.handle });
}

function addController(server: Server, onShutdown: () => void): void {
  const { Empty } = controllerProto;
  const shutdown = unary<unknown, controllerProto.Empty.$Properties>({
    path: '/plugin.GRPCController/Shutdown',
    decode: bytes => Empty.decode(bytes),
    encode: response => Empty.encode(response).finish(),
    answer() {
      // The answer leaves before the process does; a host takes a broken connection for success too.
      setImmediate(onShutdown);
      return {};
    },
  });
  server.addService({ shutdown: shutdown.definition }, { shutdown: shutdown.handle });
}
