// The plugin's gRPC side: everything a go-plugin host asks for, on one unix socket.

import { Server } from '@grpc/grpc-js';
import type { Clock } from '../../src/lifecycle/clock.ts';
import { Broker } from './broker.ts';
import {
  addBroker,
  addController,
  addHealthService,
  addStdio,
  PluginOutput,
} from './control-services.ts';
import { HostClient } from './host-client.ts';
import { addPluginService } from './plugin-service.ts';
import type { PluginRuntime } from './runtime.ts';
import { type Security, serverCredentials } from './tls.ts';

/** A server that listens. */
export interface PluginServer {
  /** Where the plugin's standard output goes after the handshake. */
  readonly output: PluginOutput;
  /** Ends open calls and closes all sockets. */
  close(): void;
}

export interface ServeOptions {
  /** Path of the socket; sockets for the broker are made beside it. */
  readonly socket: string;
  readonly security: Security;
  readonly clock: Clock;
  /** Runs when the host asks the plugin to end, after the answer has been handed over. */
  readonly onShutdown: () => void;
}

/** Serves the runtime; resolves once it listens. */
export async function servePlugin(
  runtime: PluginRuntime,
  { socket, security, clock, onShutdown }: ServeOptions,
): Promise<PluginServer> {
  const server = new Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const broker = new Broker({ clock, security, socketPath: id => `${socket}-${id}` });
  const output = new PluginOutput();
  let hostId = 0;
  addPluginService(server, runtime, id => {
    // The number is dialled once; the connection outlives later configurations.
    if (id === hostId) return;
    hostId = id;
    const host = new HostClient(() => broker.dial(id), clock);
    host.connect();
    runtime.host = host;
  });
  addHealthService(server, service => runtime.health(service));
  addController(server, onShutdown);
  addBroker(server, broker);
  addStdio(server, output);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, serverCredentials(security), error =>
      error ? reject(error) : resolve(),
    );
  });
  return {
    output,
    close() {
      broker.close();
      server.forceShutdown();
    },
  };
}
