// The one screen a newcomer sees.

import { formatDuration } from '../encoding/units.ts';

/** What there is to show; addresses as host:port. */
export interface SummaryFacts {
  readonly agentHttp: string;
  readonly agentGrpc: string;
  readonly queryHttp: string;
  readonly queryGrpc: string;
  readonly dataDir: string;
  /** Name and state, for people. */
  readonly plugins: readonly string[];
  /** Series kept at the moment. */
  readonly series: number;
  readonly collectIntervalMs: number;
}

/** The text, ended by a newline. The curl lines work as printed. */
export function summary(facts: SummaryFacts): string {
  const plugins = facts.plugins.length === 0 ? 'none' : facts.plugins.join(', ');
  const agent = `http://${reachable(facts.agentHttp)}`;
  const querier = `http://${reachable(facts.queryHttp)}`;
  const table = aligned([
    ['agent', agent, 'metrics at /metrics, PromQL at /api/v1'],
    ['', facts.agentGrpc, 'StoreAPI, for queriers'],
    ['querier', querier, 'PromQL over every agent; the URL for Grafana'],
    ['', facts.queryGrpc, 'StoreAPI, so queriers stack'],
    ['plugins', plugins, ''],
    ['data', facts.dataDir, `${facts.series} series, every ${interval(facts)}`],
  ]);
  return `
Outpost is up: an agent on this host and a querier over it. Ctrl-C stops both.

${table}
Memory in use now:
  ${curl(agent, '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes')}
CPU seconds by mode, through the querier (a rate takes two samples: wait ${interval(facts)}):
  ${curl(querier, 'sum by (mode) (rate(node_cpu_seconds_total[1m]))')}
Every metric there is:
  curl -s ${querier}/api/v1/label/__name__/values
`;
}

function interval({ collectIntervalMs }: SummaryFacts): string {
  return formatDuration(collectIntervalMs);
}

/** Rows in columns as wide as their widest cell, indented. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1].map(column => Math.max(...rows.map(row => row[column]!.length)));
  return rows
    .map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
    .map(line => `${line}\n`)
    .join('');
}

/** An address a client on this host can connect to, where one listens on all of them. */
function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:');
}

function curl(url: string, query: string): string {
  return `curl -s ${url}/api/v1/query --data-urlencode 'query=${query}'`;
}
