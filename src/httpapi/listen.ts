// From a built API to a listening actor.

import type { FastifyInstance } from 'fastify';
import { OutpostError } from '../lifecycle/errors.ts';
import { type Actor, aborted } from '../lifecycle/run-group.ts';
import { systemReason } from '../lifecycle/system-error.ts';

/** An address to listen on; port 0 asks for a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A listening server: the port it got, and the actor that closes it when stopped. */
export interface ListeningApi {
  readonly port: number;
  readonly actor: Actor;
}

/** Starts to listen. Throws `unavailable` with the address where that is not possible. */
export async function listenHttp(
  server: FastifyInstance,
  address: ListenAddress,
): Promise<ListeningApi> {
  try {
    await server.listen({ host: address.host, port: address.port });
  } catch (cause) {
    const { host, port } = address;
    const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const text = `listen for HTTP on ${place}: ${systemReason(cause)}`;
    throw new OutpostError('unavailable', text, { cause });
  }
  const bound = server.server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : address.port,
    actor: {
      name: 'http',
      async run(signal) {
        await aborted(signal);
        await server.close();
      },
    },
  };
}
