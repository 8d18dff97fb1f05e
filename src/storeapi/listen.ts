// From a gRPC server with services to a listening actor.

import { type Actor, aborted } from '../lifecycle/run-group.ts';
import type { GrpcServer } from './grpc-server.ts';

/** How long open calls may take to end once the server stops. */
const GRACE_MS = 2000;

/** A listening server: the port it got (0 for a socket file), and the actor that ends it when stopped. */
export interface ListeningGrpc {
  readonly port: number;
  readonly actor: Actor;
}

/** Binds `host:port` or `unix:/path`. Throws `unavailable` with the address where that is not possible. */
export async function listenGrpc(server: GrpcServer, address: string): Promise<ListeningGrpc> {
  const port = await server.bind(address);
  return {
    port,
    actor: {
      name: 'grpc',
      async run(signal) {
        await aborted(signal);
        await server.stop(GRACE_MS);
      },
    },
  };
}
