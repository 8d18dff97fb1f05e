// The kernel's load balancer, from /proc/net/ip_vs_stats and ip_vs: totals, and connections and weight of
// each backend. Backends whose exposed labels are the same are added up.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector } from '../sdk/collector.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { number, pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';
import { parseEndpoint } from './ipvs-address.ts';

const LABELS = [
  'local_address',
  'local_port',
  'remote_address',
  'remote_port',
  'proto',
  'local_mark',
] as const;
/** Lines of ip_vs_stats before the one with the totals. */
const HEADING_LINES = 2;

interface Backend {
  readonly weight: Series;
  readonly active: Series;
  readonly inactive: Series;
  readonly sums: Float64Array;
  counted: boolean;
}

interface Service {
  readonly backends: RowCache<Backend | null>;
}

export const ipvs = defineCollector({
  name: 'ipvs',
  help: 'Connections, packets and backends of the kernel load balancer.',
  defaultEnabled: true,
  options: {
    backendLabels: pattern('Labels of backends to expose; over the others they are summed.', '.'),
    backendsMax: number('Backends beyond are left out.', 5000, { min: 0, max: 1_000_000 }),
  },
  open({ files, metrics, options }) {
    const totals = newTotals(metrics);
    const stats = files.proc('net/ip_vs_stats');
    const table = files.proc('net/ip_vs');
    const check = requirePath(stats.path, 'IPVS is not loaded');
    const shown = LABELS.filter(label => options.backendLabels?.test(label) ?? true);
    const backends = new Backends(metrics, shown, options.backendsMax);
    return time => {
      check(time);
      const scanner = stats.read();
      for (let i = 0; i < HEADING_LINES; i++) scanner.line();
      if (scanner.line()) for (const series of totals) series.set(scanner.hex());
      backends.report(table.read());
    };
  },
});

function newTotals(metrics: Metrics): readonly Series[] {
  return [
    ['connections', 'Connections made.'],
    ['incoming_packets', 'Packets that came in.'],
    ['outgoing_packets', 'Packets that went out.'],
    ['incoming_bytes', 'Bytes that came in.'],
    ['outgoing_bytes', 'Bytes that went out.'],
  ].map(([name, help]) => metrics.counter({ name: `node_ipvs_${name}_total`, help: help! }).with());
}

/** The lines of /proc/net/ip_vs: a service, then its backends after an arrow. */
class Backends {
  readonly #families: readonly ReturnType<typeof newFamily>[];
  readonly #shown: readonly string[];
  readonly #max: number;
  readonly #byKey = new Map<string, Backend>();
  readonly #protocols: RowCache<RowCache<Service>>;
  readonly #counted: Backend[] = [];

  constructor(metrics: Metrics, shown: readonly string[], max: number) {
    this.#shown = shown;
    this.#max = max;
    this.#families = [
      newFamily(metrics, 'weight', 'Weight of the backend.', shown),
      newFamily(metrics, 'connections_active', 'Connections that are open.', shown),
      newFamily(metrics, 'connections_inactive', 'Connections that are closing.', shown),
    ];
    this.#protocols = new RowCache(proto => new RowCache(local => this.#newService(proto, local)));
  }

  report(scanner: ByteScanner): void {
    this.#counted.length = 0;
    let services: RowCache<Service> | null = null;
    let service: Service | null = null;
    for (let line = 0; scanner.line(); line++) {
      if (!scanner.word()) continue;
      if (scanner.is('->')) {
        if (service && scanner.word()) this.#count(service.backends.at(line, scanner), scanner);
      } else if (
        scanner.is('TCP') ||
        scanner.is('UDP') ||
        scanner.is('SCTP') ||
        scanner.is('FWM')
      ) {
        service?.backends.sweep();
        services = this.#protocols.at(line, scanner);
        service = scanner.word() ? services.at(line, scanner) : null;
      }
    }
    service?.backends.sweep();
    for (const backend of this.#counted) {
      backend.weight.set(backend.sums[0]!);
      backend.active.set(backend.sums[1]!);
      backend.inactive.set(backend.sums[2]!);
      backend.sums.fill(0);
      backend.counted = false;
    }
  }

  #count(backend: Backend | null, scanner: ByteScanner): void {
    if (backend === null) return;
    // How packets are forwarded is no label.
    scanner.skip(1);
    for (let i = 0; i < backend.sums.length; i++) backend.sums[i]! += scanner.number();
    if (!backend.counted) this.#counted.push(backend);
    backend.counted = true;
  }

  #newService(proto: string, local: string): Service {
    const isMark = proto === 'FWM';
    const endpoint = isMark ? null : parseEndpoint(local);
    const is: Readonly<Record<string, string>> = {
      proto,
      local_mark: isMark ? local : '',
      local_address: endpoint?.address ?? '',
      local_port: endpoint?.port ?? '0',
    };
    return { backends: new RowCache(remote => this.#newBackend(is, remote)) };
  }

  #newBackend(service: Readonly<Record<string, string>>, remote: string): Backend | null {
    const endpoint = parseEndpoint(remote);
    if (endpoint === null) return null;
    const all: Readonly<Record<string, string>> = {
      ...service,
      remote_address: endpoint.address,
      remote_port: endpoint.port,
    };
    const values = this.#shown.map(label => all[label] ?? '');
    const key = values.join('\0');
    const known = this.#byKey.get(key);
    if (known) return known;
    if (this.#byKey.size >= this.#max) return null;
    const [weight, active, inactive] = this.#families.map(family => family.with(...values));
    const backend = {
      weight: weight!,
      active: active!,
      inactive: inactive!,
      sums: new Float64Array(3),
      counted: false,
    };
    this.#byKey.set(key, backend);
    return backend;
  }
}

function newFamily(metrics: Metrics, name: string, help: string, labels: readonly string[]) {
  return metrics.gauge<readonly string[]>({ name: `node_ipvs_backend_${name}`, help, labels });
}
