// Queries asked of ours and of the installed peers: how long each answer takes, what it costs the server in CPU
// and how much memory it takes for it.

import { Agent, request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Figure } from './figures.ts';
import { type Peer, resetPeakBytes, residentBytes, threadCpuMs } from './peers.ts';
import { printTable } from './table.ts';

type Query = readonly [name: string, query: string, kind: 'instant' | 'range'];

/** A set of queries over one stretch of time. */
export interface QuerySet {
  readonly title: string;
  readonly rangeMs: number;
  /** Seconds. */
  readonly step: number;
  readonly queries: readonly Query[];
}

/** 20 k series and an hour, as a dashboard of a fleet. */
export const HOUR: QuerySet = {
  title: 'an hour',
  rangeMs: 3_600_000,
  step: 60,
  queries: [
    ['one series', 'node_load1{instance="host-3:9100"}', 'range'],
    ['one host rate', 'rate(node_cpu_seconds_total{instance="host-3:9100"}[5m])', 'range'],
    ['cpu by mode', 'sum by (mode) (rate(node_cpu_seconds_total[5m]))', 'range'],
    [
      'cpu by host',
      '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100',
      'range',
    ],
    ['network sum', 'sum(rate(node_network_receive_bytes_total[5m]))', 'range'],
    ['top 10', 'topk(10, rate(node_network_transmit_bytes_total[5m]))', 'range'],
    ['memory ratio', 'node_memory_Field1_bytes / node_memory_Field2_bytes', 'range'],
    [
      'join',
      'node_filesystem_avail_bytes / on(instance, device, mountpoint, fstype) node_filesystem_size_bytes',
      'range',
    ],
    ['max over time', 'max_over_time(node_load1[10m])', 'range'],
    ['avg over time', 'avg by (region) (avg_over_time(node_load5[10m]))', 'range'],
    ['regex', 'count by (instance) ({__name__=~"node_disk_.*_total"})', 'range'],
    ['quantile', 'quantile(0.9, rate(node_disk_io_time_seconds_total[5m]))', 'range'],
    ['instant all', 'count({job="node"})', 'instant'],
    ['instant rate', 'sum by (instance) (rate(node_cpu_seconds_total[5m]))', 'instant'],
    ['instant top', 'topk(5, node_memory_Field3_bytes)', 'instant'],
    ['delta', 'sum by (region) (delta(node_memory_Field4_bytes[10m]))', 'range'],
  ],
};

/** Few series and a day of them, as a dashboard of some hosts. */
export const DAY: QuerySet = {
  title: 'a day',
  rangeMs: 86_400_000 - 600_000,
  step: 300,
  queries: [
    ['one series', 'node_load1{instance="host-3:9100"}', 'range'],
    ['one host rate', 'rate(node_cpu_seconds_total{instance="host-3:9100"}[5m])', 'range'],
    ['cpu by mode', 'sum by (mode) (rate(node_cpu_seconds_total[5m]))', 'range'],
    [
      'cpu by host',
      '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100',
      'range',
    ],
    ['top 10', 'topk(10, rate(node_network_transmit_bytes_total[5m]))', 'range'],
    [
      'join',
      'node_filesystem_avail_bytes / on(instance, device, mountpoint, fstype) node_filesystem_size_bytes',
      'range',
    ],
    ['max over an hour', 'max_over_time(node_load1[1h])', 'range'],
    ['avg over an hour', 'avg by (region) (avg_over_time(node_memory_Field1_bytes[1h]))', 'range'],
    ['regex', 'count by (instance) ({__name__=~"node_disk_.*_total"})', 'range'],
    ['quantile', 'quantile(0.9, rate(node_disk_io_time_seconds_total[5m]))', 'range'],
    ['growth of a day', 'sum by (instance) (increase(node_cpu_seconds_total[1d]))', 'instant'],
  ],
};

const MIB = 1024 ** 2;
const agent = new Agent({ keepAlive: true, maxSockets: 2 });

/** What one server made of one query: ms of the first run, median ms of the others, CPU ms of each of these. */
interface Answered {
  readonly series: number;
  readonly first: number;
  readonly median: number;
  readonly cpu: number;
  /** The most memory the process had while it answered, bytes. */
  readonly peak: number;
}

export interface AskOptions {
  /** Time of the last step, Unix ms. */
  readonly end: number;
  /** When instant queries ask; there is no newer sample, as for who asks about the present. */
  readonly now: number;
  readonly rounds: number;
  readonly hosts: number;
}

/** Peers take turns within each query, so that a slow minute of the machine hits all of them. */
export async function askAll(
  peers: readonly Peer[],
  set: QuerySet,
  { end, now, rounds, hosts }: AskOptions,
): Promise<Figure[]> {
  const rows: string[][] = [];
  const costRows: string[][] = [];
  const all = new Map<string, Answered[]>(peers.map(peer => [peer.name, []]));
  const rest = peers.map(peer => residentBytes(peer.pid).now);
  const added = ({ peak }: Answered, i: number): string => ((peak - rest[i]!) / MIB).toFixed(1);
  for (const [name, query, kind] of set.queries) {
    const path =
      kind === 'instant'
        ? `query?time=${now / 1000}`
        : `query_range?start=${(end - set.rangeMs) / 1000}&end=${end / 1000}&step=${set.step}`;
    const answered = await inTurns(peers, `${path}&query=${encodeURIComponent(query)}`, rounds);
    for (const [i, peer] of peers.entries()) all.get(peer.name)!.push(answered[i]!);
    const series = answered.map(one => one.series);
    const same = new Set(series).size === 1 ? String(series[0]) : series.join('/');
    const show = (pick: (one: Answered) => number): string[] =>
      answered.map(one => pick(one).toFixed(1));
    rows.push([name, same, ...show(one => one.median), ...show(one => one.first)]);
    costRows.push([name, ...show(one => one.cpu), ...answered.map(added)]);
  }
  const names = peers.map(peer => peer.name);
  printTable(
    `queries over ${set.title} — median ms of ${rounds}, client side, and ms of the first run`,
    ['query', 'series', ...names, ...names.map(name => `${name} first`)],
    rows,
  );
  printTable(
    `queries over ${set.title} — CPU ms of the server, mean of ${rounds}; memory above that before all queries, at the most, MiB`,
    ['query', ...names, ...names.map(name => `${name} MiB`)],
    costRows,
  );
  const ours = all.get('outpost');
  if (!ours) return [];
  const ratio = (peer: Peer, pick: (one: Answered) => number): string[] => {
    const ratios = all.get(peer.name)!.map((their, i) => pick(ours[i]!) / pick(their));
    const mean = Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
    return [mean.toFixed(2), Math.max(...ratios).toFixed(2)];
  };
  printTable(
    'ours / theirs, geometric mean over the queries, and the worst',
    ['peer', 'latency', 'worst', 'CPU', 'worst', 'first run', 'worst', 'peak memory', 'worst'],
    peers.map(peer => [
      peer.name,
      ...ratio(peer, one => one.median),
      ...ratio(peer, one => one.cpu),
      ...ratio(peer, one => one.first),
      ...ratio(peer, one => one.peak),
    ]),
  );
  const shape = { set, title: `Queries over ${hosts * 500} series and ${set.title}` };
  return [
    ...queryFigures(all, shape, MEASURES.latency),
    ...queryFigures(all, shape, MEASURES.cpu),
    ...queryFigures(all, shape, MEASURES.peak),
    addedFigure(all, shape.title, new Map(peers.map((peer, i) => [peer.name, rest[i]!]))),
  ];
}

/** What queries took beside what the server had before the first of them. */
function addedFigure(
  all: ReadonlyMap<string, readonly Answered[]>,
  title: string,
  rest: ReadonlyMap<string, number>,
): Figure {
  const most = (name: string): number =>
    Math.max(0, ...all.get(name)!.map(({ peak }) => peak - rest.get(name)!)) / MIB;
  const others = [...all.keys()].filter(name => name !== 'outpost');
  return {
    group: `${title}: ${MEASURES.peak.what}`,
    what: 'the most above what it had before all queries',
    unit: 'MiB',
    ours: most('outpost'),
    peers: Object.fromEntries(others.map(name => [name, most(name)])),
    ratios: { prometheus: 1 },
  };
}

/** What is compared: its name, its unit, and what is wanted of it. */
interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly pick: (one: Answered) => number;
  readonly mean: Readonly<Record<string, number>>;
}

const MEAN_BOUNDS = { prometheus: 0.25, 'victoria-metrics': 0.5 };
const MEASURES = {
  latency: { what: 'latency', unit: 'ms', pick: one => one.median, mean: MEAN_BOUNDS },
  cpu: { what: 'CPU of the server', unit: 'ms', pick: one => one.cpu, mean: MEAN_BOUNDS },
  peak: {
    what: 'peak memory of the server',
    unit: 'MiB',
    pick: one => one.peak / MIB,
    mean: {},
  },
} satisfies Record<string, Measure>;

/** The mean over the queries, and the worst of them beside each peer. */
function queryFigures(
  all: ReadonlyMap<string, readonly Answered[]>,
  { set, title }: { readonly set: QuerySet; readonly title: string },
  measure: Measure,
): Figure[] {
  const { unit, pick } = measure;
  const group = `${title}: ${measure.what}`;
  const mean = (values: readonly number[]): number =>
    Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  const of = (name: string): number[] => all.get(name)!.map(pick);
  const ours = of('outpost');
  const others = [...all.keys()].filter(name => name !== 'outpost');
  const geometric: Figure = {
    group,
    what: `geometric mean of ${set.queries.length} queries`,
    unit,
    ours: mean(ours),
    peers: Object.fromEntries(others.map(name => [name, mean(of(name))])),
    ratios: measure.mean,
  };
  const worst = others.map((name): Figure => {
    const ratios = of(name).map((theirs, i) => ours[i]! / theirs);
    const at = ratios.indexOf(Math.max(...ratios));
    return {
      group,
      what: `the one that compares worst with ${name}: ${set.queries[at]![0]}`,
      unit,
      ours: ours[at]!,
      peers: Object.fromEntries(others.map(other => [other, of(other)[at]!])),
      ...(measure !== MEASURES.peak && { ratios: { [name]: 1 } }),
    };
  });
  return [geometric, ...worst];
}

/** Asks every peer in turn, round by round; the first round is told apart. */
async function inTurns(peers: readonly Peer[], path: string, rounds: number): Promise<Answered[]> {
  const times: number[][] = peers.map(() => []);
  const series = peers.map(() => 0);
  const before: number[] = [];
  const cpu: number[] = [];
  for (const peer of peers) resetPeakBytes(peer.pid);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, peer] of peers.entries()) {
      if (round === 1) before[i] = threadCpuMs(peer.pid);
      const { ms, body } = await ask(`${peer.url}/api/v1/${path}`);
      if (body.status !== 'success') throw new Error(`${peer.name}: ${path}: ${body.error}`);
      times[i]!.push(ms);
      series[i] = body.data!.result.length;
      if (round === rounds) cpu[i] = (threadCpuMs(peer.pid) - before[i]!) / rounds;
    }
  }
  return peers.map((_, i) => ({
    series: series[i]!,
    first: times[i]![0]!,
    median: median(times[i]!.slice(1)),
    cpu: cpu[i]!,
    peak: residentBytes(peers[i]!.pid).peak,
  }));
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly unknown[] };
}

/** Ms from the request to the last byte of the answer, as it comes over the wire; what it says is read later. */
function ask(url: string): Promise<{ readonly ms: number; readonly body: Answer }> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = request(url, { agent, headers: { 'accept-encoding': 'gzip' } }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - began;
        const bytes = Buffer.concat(chunks);
        const isPacked = response.headers['content-encoding'] === 'gzip';
        resolve({ ms, body: JSON.parse((isPacked ? gunzipSync(bytes) : bytes).toString()) });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
