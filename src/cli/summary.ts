// The one screen a newcomer sees.

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
}

/** The text, ended by a newline. The curl lines work as printed. */
export function summary(facts: SummaryFacts): string {
  const plugins = facts.plugins.length === 0 ? 'none' : facts.plugins.join(', ');
  return `
Outpost is up: an agent on this host and a querier over it. Ctrl-C stops both.

  agent     http://${facts.agentHttp}/metrics   exporter; PromQL under /api/v1
            ${facts.agentGrpc}                  StoreAPI (gRPC)
  querier   http://${facts.queryHttp}           PromQL over every agent; Grafana's data source
            ${facts.queryGrpc}                 StoreAPI (gRPC)
  plugins   ${plugins}
  data      ${facts.dataDir}, ${facts.series} series

Try:
  ${curl(facts.agentHttp, '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes')}
  ${curl(facts.queryHttp, 'sum by (mode) (rate(node_cpu_seconds_total[1m]))')}

The second one needs two collections. What there is: curl -s http://${facts.queryHttp}/api/v1/label/__name__/values
`;
}

function curl(address: string, query: string): string {
  return `curl -s http://${address}/api/v1/query --data-urlencode 'query=${query}'`;
}
