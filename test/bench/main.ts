// Ingest and query beside the installed peers, in one run on the same bytes, and what the engine does alone.
// Options: --hosts N (default 40, about 20 k series), --rounds N, --only a,b (servers), --phases a,b, and
// --write, which makes docs/internals/performance.md of all figures.

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Figure, toldBy } from './figures.ts';
import { hostSeries, remoteWriteBody, seeded } from './generator.ts';
import { writePage } from './page.ts';
import { folderBytes, type Peer, pssBytes, startPeers, threadCpuMs } from './peers.ts';
import { printTable } from './table.ts';

const STEP_MS = 15_000;
const HISTORY_SAMPLES = 300;

const QUERIES: readonly (readonly [name: string, query: string, kind: 'instant' | 'range'])[] = [
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
];

const FIRST = 'first scrape: every series is new';
const LIVE = 'live scrapes, 500 series × 1 sample a request';
const BACKLOG = 'backlog, 500 series × 100 samples a request';
const INGEST_BOUNDS: Readonly<Record<string, Partial<Figure>>> = {
  [FIRST]: { ratios: { prometheus: 1, 'victoria-metrics': 1 } },
  [LIVE]: { target: 0.5, ratios: { prometheus: 0.167, 'victoria-metrics': 0.5 } },
  [BACKLOG]: { target: 0.1 },
};

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    phases: {
      type: 'string',
      default: 'first,live,backlog,queries,sizes,engine,holds,churn',
    },
    write: { type: 'boolean', default: false },
  },
});

const hosts = Number(options.hosts);
const rounds = Number(options.rounds);
const phases = options.phases.split(',');
const COLD_SCRAPES = 5;
const LIVE_SCRAPES = 20;
const BACKLOG_CHUNK = 100;
const GROUP = 'Ingest over remote write: CPU of the server';
const figures: Figure[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 2 });
const peers = await startPeers(options.only.split(',').filter(Boolean));
try {
  const idle = new Map(peers.map(peer => [peer.name, pssBytes(peer.pid)]));
  const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const seriesCount = await ingestAll(end);
  if (seriesCount > 0) await memory(idle, seriesCount);
  if (phases.includes('queries')) await queries(end - 2 * STEP_MS);
} finally {
  agent.destroy();
  for (const peer of peers) await peer.stop();
}
record();
if (phases.includes('sizes')) {
  figures.push(...(await toldBy('cold.ts', ['--only-sizes'])));
  record();
}
for (const script of ['engine', 'holds', 'churn']) {
  if (!phases.includes(script)) continue;
  figures.push(...(await toldBy(`${script}.ts`)));
  record();
}

/** Writes the page as far as figures are there: a phase that fails does not take those before it along. */
function record(): void {
  if (options.write) writePage(figures, { hosts, rounds });
}

/**
 * Servers that have just started get their first scrape, which is all new series, some scrapes more, and live
 * ones; then history behind them in time, each request with one host. Returns the series.
 */
async function ingestAll(end: number): Promise<number> {
  const random = seeded(1);
  const groups = Array.from({ length: hosts }, (_, host) => hostSeries(host));
  const seriesCount = groups.reduce((sum, group) => sum + group.length, 0);
  const chunks = Math.ceil(HISTORY_SAMPLES / BACKLOG_CHUNK);
  const isLive = phases.includes('live');
  let at = end - (1 + COLD_SCRAPES + LIVE_SCRAPES + chunks * BACKLOG_CHUNK) * STEP_MS;
  const round = async (what: string, count: number, samples: number): Promise<void> => {
    const bodies: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      for (const group of groups) bodies.push(remoteWriteBody(group, at, STEP_MS, samples, random));
      at += samples * STEP_MS;
    }
    await ingest(what, bodies, seriesCount * count * samples);
  };
  if (phases.includes('first') || isLive) await round(FIRST, 1, 1);
  if (isLive) await round('live scrapes, code still cold', COLD_SCRAPES, 1);
  if (isLive) await round(LIVE, LIVE_SCRAPES, 1);
  if (phases.includes('backlog') || phases.includes('queries'))
    await round(BACKLOG, chunks, BACKLOG_CHUNK);
  return seriesCount;
}

/** Everybody takes the same bodies; each in turn has the machine for itself. */
async function ingest(what: string, bodies: readonly Uint8Array[], samples: number): Promise<void> {
  const used: Record<string, number> = {};
  const rows: string[][] = [];
  for (const peer of peers) {
    const before = threadCpuMs(peer.pid);
    const started = performance.now();
    for (const body of bodies) await write(peer, body);
    const wall = (performance.now() - started) / 1000;
    used[peer.name] = ((threadCpuMs(peer.pid) - before) / samples) * 1e3;
    rows.push([peer.name, used[peer.name]!.toFixed(3), Math.round(samples / wall).toString()]);
  }
  const { outpost, ...others } = used;
  if (outpost !== undefined) {
    const bounds = INGEST_BOUNDS[what] ?? {};
    figures.push({
      group: GROUP,
      what,
      unit: 'µs a sample',
      ours: outpost,
      peers: others,
      ...bounds,
    });
  }
  const ratio = (name: string): string => ((outpost ?? Number.NaN) / used[name]!).toFixed(2);
  printTable(
    `${what} — ${bodies.length} requests, ${samples} samples`,
    ['server', 'CPU µs/sample', 'samples/s', 'CPU of ours / theirs'],
    rows.map(row => [...row, ratio(row[0]!)]),
  );
}

function write(peer: Peer, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'content-length': body.length,
      'x-prometheus-remote-write-version': '0.1.0',
    };
    const url = `${peer.url}/api/v1/write`;
    const sent = request(url, { method: 'POST', headers, agent }, answer => {
      let text = '';
      answer.setEncoding('utf8').on('data', part => (text += part));
      answer.on('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode < 300) resolve();
        else reject(new Error(`${peer.name} answered ${statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function memory(idle: ReadonlyMap<string, number>, seriesCount: number): Promise<void> {
  const above = (peer: Peer): number =>
    (pssBytes(peer.pid) - idle.get(peer.name)!) / seriesCount / 1024;
  const measured = Object.fromEntries(peers.map(peer => [peer.name, above(peer)]));
  const { outpost, ...others } = measured;
  if (outpost !== undefined) {
    const what = `memory of a series above the idle process, ${seriesCount} series with their samples`;
    figures.push({
      group: 'Memory of the server',
      what,
      unit: 'KiB',
      ours: outpost,
      peers: others,
    });
  }
  printTable(
    `memory and disk — ${seriesCount} series`,
    ['server', 'Pss MiB', 'KiB/series above idle', 'disk MiB'],
    peers.map(peer => {
      const perSeries = measured[peer.name]!.toFixed(2);
      return [peer.name, mib(pssBytes(peer.pid)), perSeries, mib(folderBytes(peer.dataDir))];
    }),
  );
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

/** What one server made of one query: ms of the first run, median ms of the others, CPU ms of each of these. */
interface Answered {
  readonly series: number;
  readonly first: number;
  readonly median: number;
  readonly cpu: number;
}

/** Peers take turns within each query, so that a slow minute of the machine hits all of them. */
async function queries(end: number): Promise<void> {
  const rows: string[][] = [];
  const cpuRows: string[][] = [];
  const all = new Map<string, Answered[]>(peers.map(peer => [peer.name, []]));
  for (const [name, query, kind] of QUERIES) {
    const path =
      kind === 'instant'
        ? `query?time=${end / 1000}`
        : `query_range?start=${(end - 3_600_000) / 1000}&end=${end / 1000}&step=60`;
    const answered = await inTurns(`${path}&query=${encodeURIComponent(query)}`);
    for (const [i, peer] of peers.entries()) all.get(peer.name)!.push(answered[i]!);
    const series = answered.map(one => one.series);
    const same = new Set(series).size === 1 ? String(series[0]) : series.join('/');
    const show = (pick: (one: Answered) => number): string[] =>
      answered.map(one => pick(one).toFixed(1));
    rows.push([name, same, ...show(one => one.median), ...show(one => one.first)]);
    cpuRows.push([name, ...show(one => one.cpu)]);
  }
  const names = peers.map(peer => peer.name);
  printTable(
    `queries — median ms of ${rounds}, client side, and ms of the first run`,
    ['query', 'series', ...names, ...names.map(name => `${name} first`)],
    rows,
  );
  printTable(`queries — CPU ms of the server, mean of ${rounds}`, ['query', ...names], cpuRows);
  const ours = all.get('outpost');
  if (!ours) return;
  figures.push(...queryFigures(all, one => one.median, 'latency'));
  figures.push(...queryFigures(all, one => one.cpu, 'CPU of the server'));
  const ratio = (peer: Peer, pick: (one: Answered) => number): string[] => {
    const ratios = all.get(peer.name)!.map((their, i) => pick(ours[i]!) / pick(their));
    const mean = Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
    return [mean.toFixed(2), Math.max(...ratios).toFixed(2)];
  };
  printTable(
    'ours / theirs, geometric mean over the queries, and the worst',
    ['peer', 'latency', 'worst', 'CPU', 'worst', 'first run', 'worst'],
    peers.map(peer => [
      peer.name,
      ...ratio(peer, one => one.median),
      ...ratio(peer, one => one.cpu),
      ...ratio(peer, one => one.first),
    ]),
  );
}

/** The mean over the queries, and the worst of them beside each peer. */
function queryFigures(
  all: ReadonlyMap<string, readonly Answered[]>,
  pick: (one: Answered) => number,
  what: string,
): Figure[] {
  const group = `Queries over ${hosts * 500} series and an hour: ${what}`;
  const isLatency = what === 'latency';
  const mean = (values: readonly number[]): number =>
    Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  const of = (name: string): number[] => all.get(name)!.map(pick);
  const ours = of('outpost');
  const others = [...all.keys()].filter(name => name !== 'outpost');
  const geometric: Figure = {
    group,
    what: `geometric mean of ${QUERIES.length} queries`,
    unit: 'ms',
    ours: mean(ours),
    peers: Object.fromEntries(others.map(name => [name, mean(of(name))])),
    ...(isLatency && { ratios: { prometheus: 0.25 } }),
  };
  const worst = others.map((name): Figure => {
    const ratios = of(name).map((theirs, i) => ours[i]! / theirs);
    const at = ratios.indexOf(Math.max(...ratios));
    return {
      group,
      what: `the one that compares worst with ${name}: ${QUERIES[at]![0]}`,
      unit: 'ms',
      ours: ours[at]!,
      peers: Object.fromEntries(others.map(other => [other, of(other)[at]!])),
      ...(isLatency && { ratios: { [name]: 1 } }),
    };
  });
  return [geometric, ...worst];
}

/** Asks every peer in turn, round by round; the first round is told apart. */
async function inTurns(path: string): Promise<Answered[]> {
  const times: number[][] = peers.map(() => []);
  const series = peers.map(() => 0);
  const before: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [i, peer] of peers.entries()) {
      if (round === 1) before[i] = threadCpuMs(peer.pid);
      const { ms, body } = await ask(`${peer.url}/api/v1/${path}`);
      if (body.status !== 'success') throw new Error(`${peer.name}: ${path}: ${body.error}`);
      times[i]!.push(ms);
      series[i] = body.data!.result.length;
    }
  }
  return peers.map((peer, i) => ({
    series: series[i]!,
    first: times[i]![0]!,
    median: median(times[i]!.slice(1)),
    cpu: (threadCpuMs(peer.pid) - before[i]!) / rounds,
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
