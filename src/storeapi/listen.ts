// From a gRPC server with services to a listening actor.

import { type Actor, aborted } from '../lifecycle/run-group.ts';
import type { GrpcServer } from './grpc-server.ts';
import { serveHealth } from './health.ts';
import { serveReflection } from './reflection.ts';

/** How long open calls may take to end once the server stops. */
const GRACE_MS = 2000;

/** A listening server: the port it got (0 for a socket file), and the actor that ends it when stopped. */
export interface ListeningGrpc {
  readonly port: number;
  readonly actor: Actor;
}

/**
 * Adds health and reflection, and binds `host:port` or `unix:/path`. Call it once all other services are
 * added. Throws `unavailable` with the address where that is not possible.
 */
export async function listenGrpc(server: GrpcServer, address: string): Promise<ListeningGrpc> {
  const health = serveHealth(server);
  serveReflection(server);
  const port = await server.bind(address);
  health.setServing(true);
  return {
    port,
    actor: {
      name: 'grpc',
      async run(signal) {
        await aborted(signal);
        health.setServing(false);
        await server.stop(GRACE_MS);
      },
    },
  };
}
