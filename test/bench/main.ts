// Ingest and query beside the installed peers, in one run on the same bytes. Prints figures and ratios;
// passes no judgement. Options: --hosts N (default 40, about 20 k series), --rounds N, --only a,b, and
// --phases backlog,queries to leave the live phase out.

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { hostSeries, remoteWriteBody, seeded } from './generator.ts';
import { cpuSeconds, folderBytes, type Peer, pssBytes, startPeers, threadCpuMs } from './peers.ts';
import { printTable } from './table.ts';

const STEP_MS = 15_000;
const HISTORY_SAMPLES = 240;

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

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    phases: { type: 'string', default: 'backlog,live,queries' },
  },
});

const hosts = Number(options.hosts);
const rounds = Number(options.rounds);
const phases = options.phases.split(',');
const liveScrapes = phases.includes('live') ? rounds * 4 : 0;
const agent = new Agent({ keepAlive: true });
const peers = await startPeers(options.only.split(',').filter(Boolean));
try {
  const idle = new Map(peers.map(peer => [peer.name, pssBytes(peer.pid)]));
  const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const seriesCount = await backlog(end);
  if (phases.includes('live')) await live(end);
  await memory(idle, seriesCount);
  if (phases.includes('queries')) await queries(end - 2 * STEP_MS);
} finally {
  agent.destroy();
  for (const peer of peers) await peer.stop();
}

/** History: each request carries one host, 60 samples a series. */
async function backlog(end: number): Promise<number> {
  const random = seeded(1);
  const groups = Array.from({ length: hosts }, (_, host) => hostSeries(host));
  const chunk = 60;
  const start = end - (HISTORY_SAMPLES + liveScrapes) * STEP_MS;
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < HISTORY_SAMPLES; at += chunk) {
    for (const group of groups) {
      bodies.push(remoteWriteBody(group, start + at * STEP_MS, STEP_MS, chunk, random));
    }
  }
  const samples = groups.reduce((sum, g) => sum + g.length, 0) * HISTORY_SAMPLES;
  await ingest('backlog: 60 samples a series', bodies, samples);
  return samples / HISTORY_SAMPLES;
}

/** Scrapes as they happen: each request carries one host, one sample a series. */
async function live(end: number): Promise<void> {
  const random = seeded(2);
  const scrapes = liveScrapes;
  const bodies: Uint8Array[] = [];
  let samples = 0;
  for (let scrape = 0; scrape < scrapes; scrape++) {
    for (let host = 0; host < hosts; host++) {
      const group = hostSeries(host);
      bodies.push(remoteWriteBody(group, end - (scrapes - scrape) * STEP_MS, STEP_MS, 1, random));
      samples += group.length;
    }
  }
  await ingest('live: 1 sample a series', bodies, samples);
}

async function ingest(
  title: string,
  bodies: readonly Uint8Array[],
  samples: number,
): Promise<void> {
  const rows: (readonly [string, number, number])[] = [];
  for (const peer of peers) {
    const before = cpuSeconds(peer.pid);
    const started = performance.now();
    for (const body of bodies) await write(peer, body);
    const wall = (performance.now() - started) / 1000;
    rows.push([peer.name, ((cpuSeconds(peer.pid) - before) / samples) * 1e6, samples / wall]);
  }
  const ours = rows.find(([name]) => name === 'outpost')?.[1] ?? Number.NaN;
  printTable(
    `${title} — ${bodies.length} requests, ${samples} samples`,
    ['server', 'CPU µs/sample', 'samples/s', 'CPU of ours / theirs'],
    rows.map(([name, cpu, rate]) => [
      name,
      cpu.toFixed(3),
      Math.round(rate).toString(),
      (ours / cpu).toFixed(2),
    ]),
  );
}

async function write(peer: Peer, body: Uint8Array): Promise<void> {
  const answer = await fetch(`${peer.url}/api/v1/write`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    },
    body: new Uint8Array(body),
  });
  if (!answer.ok) throw new Error(`${peer.name} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function memory(idle: ReadonlyMap<string, number>, seriesCount: number): Promise<void> {
  printTable(
    `memory and disk — ${seriesCount} series`,
    ['server', 'Pss MiB', 'KiB/series above idle', 'disk MiB'],
    peers.map(peer => {
      const pss = pssBytes(peer.pid);
      const perSeries = (pss - idle.get(peer.name)!) / seriesCount / 1024;
      return [peer.name, mib(pss), perSeries.toFixed(2), mib(folderBytes(peer.dataDir))];
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
