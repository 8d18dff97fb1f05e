// What hashicorp/go-plugin asks of every plugin besides its own service: health, the controller that ends
// it, the broker, and its standard output after the handshake.

import {
  type Server,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { grpc as healthProto } from '../../proto/gen/grpc.health.v1.js';
import { plugin as control } from '../../proto/gen/plugin.js';
import type { Broker } from './broker.ts';
import { method, StatusError, serviceOf, unary } from './grpc-method.ts';

const { HealthCheckRequest, HealthCheckResponse } = healthProto.health.v1;
const { Empty, ConnInfo, StdioData } = control;
/** Output kept for a host that has not asked for it yet. */
const OUTPUT_BYTES_MAX = 64 * 1024;

/** Name under which a plugin's health is asked for. */
export const HEALTH_SERVICE = 'plugin';

/** Serves health; `health` says of a service whether it serves, null where it knows none of that name. */
export function addHealthService(
  server: Server,
  health: (service: string) => boolean | null,
): void {
  const { SERVING, NOT_SERVING } = HealthCheckResponse.ServingStatus;
  const check = unary(
    {
      path: '/grpc.health.v1.Health/Check',
      decode: bytes => HealthCheckRequest.decode(bytes),
      encode: (answer: healthProto.health.v1.HealthCheckResponse.$Properties) =>
        HealthCheckResponse.encode(answer).finish(),
    },
    ({ service }) => {
      const serves = health(service);
      if (serves === null) {
        throw new StatusError(status.NOT_FOUND, `health of an unknown service: ${service}`);
      }
      return { status: serves ? SERVING : NOT_SERVING };
    },
  );
  server.addService(...serviceOf({ check }));
}

/** Serves the controller; `onShutdown` runs once the answer has been handed over. */
export function addController(server: Server, onShutdown: () => void): void {
  const shutdown = unary(
    {
      path: '/plugin.GRPCController/Shutdown',
      decode: bytes => Empty.decode(bytes),
      encode: (answer: control.Empty.$Properties) => Empty.encode(answer).finish(),
    },
    () => {
      // The answer leaves before the process does; a host takes a broken connection for success too.
      setImmediate(onShutdown);
      return {};
    },
  );
  server.addService(...serviceOf({ shutdown }));
}

type BrokerCall = ServerDuplexStream<control.ConnInfo, control.ConnInfo.$Properties>;

/** Serves the plugin's end of the broker. */
export function addBroker(server: Server, broker: Broker): void {
  const startStream = method(
    {
      path: '/plugin.GRPCBroker/StartStream',
      decode: bytes => ConnInfo.decode(bytes),
      encode: (info: control.ConnInfo.$Properties) => ConnInfo.encode(info).finish(),
      requestStream: true,
      responseStream: true,
    },
    (call: BrokerCall) => {
      broker.attach(info => void call.write(info));
      call.on('data', ({ serviceId, network, address, knock }: control.ConnInfo) => {
        if (!knock) broker.receive({ serviceId, network, address });
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
      call.on('close', () => broker.detach());
    },
  );
  server.addService(...serviceOf({ startStream }));
}

/** What a plugin prints, on its way to a host that asks for it. */
export class PluginOutput {
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #take: ((data: Buffer) => void) | null = null;

  /** Takes what was printed on standard output; the oldest is given up while nobody asks. */
  print(data: Buffer): void {
    if (this.#take) {
      this.#take(data);
      return;
    }
    this.#kept.push(data);
    this.#keptBytes += data.length;
    while (this.#keptBytes > OUTPUT_BYTES_MAX) this.#keptBytes -= this.#kept.shift()!.length;
  }

  /** Hands everything to `take`, in place of whoever had it before. */
  follow(take: (data: Buffer) => void): () => void {
    this.#take = take;
    for (const data of this.#kept.splice(0)) take(data);
    this.#keptBytes = 0;
    return () => {
      if (this.#take === take) this.#take = null;
    };
  }
}

type OutputCall = ServerWritableStream<unknown, control.StdioData.$Properties>;

/** Serves what the plugin prints. */
export function addStdio(server: Server, output: PluginOutput): void {
  const { STDOUT } = StdioData.Channel;
  const streamStdio = method(
    {
      path: '/plugin.GRPCStdio/StreamStdio',
      decode: bytes => bytes,
      encode: (data: control.StdioData.$Properties) => StdioData.encode(data).finish(),
      responseStream: true,
    },
    (call: OutputCall) => {
      const end = output.follow(data => void call.write({ channel: STDOUT, data }));
      call.on('cancelled', end);
      call.on('error', end);
    },
  );
  server.addService(...serviceOf({ streamStdio }));
}
