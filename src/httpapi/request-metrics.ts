// Requests by handler and code, under the names that dashboards for Prometheus look for.

import type { FastifyInstance } from 'fastify';
import type { Registry } from '../telemetry/metrics.ts';

const DURATION_BOUNDS_S = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];

/** Counts every answered request. Paths without a route share one handler. */
export function addRequestMetrics(server: FastifyInstance, registry: Registry): void {
  const requests = registry.counterVector({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
  });
  const durations = registry.histogramVector(
    {
      name: 'prometheus_http_request_duration_seconds',
      help: 'Histogram of latencies for HTTP requests.',
      labelNames: ['handler'],
    },
    DURATION_BOUNDS_S,
  );
  server.addHook('onResponse', (request, reply, done) => {
    const handler = request.routeOptions.url ?? '(unknown)';
    requests.with(handler, String(reply.statusCode)).inc();
    durations.with(handler).observe(reply.elapsedTime / 1000);
    done();
  });
}
