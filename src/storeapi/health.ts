// The gRPC health protocol: load balancers, Kubernetes probes and Thanos ask it whether to send calls.

import { grpc } from '../../proto/gen/grpc.health.v1.js';
import { OutpostError } from '../lifecycle/errors.ts';
import type { FrameStream, GrpcServer } from './grpc-server.ts';
import { bytesMethod } from './service.ts';

const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { NOT_SERVING, SERVICE_UNKNOWN, SERVING } = HealthCheckResponse.ServingStatus;

/** Whether the server and each of its services may be called. */
export interface Health {
  /** Tells those who watch as well. */
  setServing(serving: boolean): void;
}

/** Adds the service; nothing is serving before `setServing(true)`. */
export function serveHealth(server: GrpcServer): Health {
  let serving = false;
  const watchers = new Set<() => void>();
  const statusOf = (service: string) => {
    if (service !== '' && !server.services().includes(service)) return SERVICE_UNKNOWN;
    return serving ? SERVING : NOT_SERVING;
  };

  server.unary(bytesMethod('/grpc.health.v1.Health/Check'), async bytes => {
    const { service } = HealthCheckRequest.decode(bytes);
    const status = statusOf(service);
    if (status === SERVICE_UNKNOWN) {
      throw new OutpostError('not-found', `check health: no service "${service}" here`);
    }
    return HealthCheckResponse.encode({ status }).finish();
  });

  server.stream(bytesMethod('/grpc.health.v1.Health/Watch', true), async (bytes, stream) => {
    const { service } = HealthCheckRequest.decode(bytes);
    const write = (frame: Uint8Array) => stream.write(frame);
    await watch({ signal: stream.signal, write }, watchers, () =>
      HealthCheckResponse.encode({ status: statusOf(service) }).finish(),
    );
  });

  return {
    setServing(now) {
      if (now === serving) return;
      serving = now;
      for (const notify of watchers) notify();
    },
  };
}

/** Sends the status at once and at each change until the peer goes. */
async function watch(
  { signal, write }: Pick<FrameStream, 'signal' | 'write'>,
  watchers: Set<() => void>,
  status: () => Uint8Array,
): Promise<void> {
  let changed = Promise.withResolvers<void>();
  const notify = (): void => changed.resolve();
  watchers.add(notify);
  signal.addEventListener('abort', notify, { once: true });
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers<void>();
      await write(status());
      await changed.promise;
    }
  } finally {
    watchers.delete(notify);
  }
}
