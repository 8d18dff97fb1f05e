// Ingest and query beside the installed peers, in one run on the same bytes, and what the engine does alone.
// Options: --hosts N (default 40, about 20 k series), --rounds N (of queries), --only a,b (servers), --phases
// a,b, and --write, which makes docs/internals/performance.md of the figures; groups of figures
// that a run has nothing of stay on the page (ingest is one group: first,live,backlog).

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { type Figure, toldBy } from './figures.ts';
import { hostSeries, remoteWriteBody, seeded } from './generator.ts';
import { writePage } from './page.ts';
import { folderBytes, type Peer, pssBytes, startPeers, threadCpuMs } from './peers.ts';
import { askAll, DAY, HOUR } from './queries.ts';
import { printTable } from './table.ts';

const STEP_MS = 15_000;
const HISTORY_SAMPLES = 300;
const DAY_HOSTS = 4;
const DAY_SAMPLES = 5760;
/** Samples of a request of a day's history. */
const DAY_CHUNK = 240;

const FIRST = 'first scrape: every series is new';
const LIVE = 'live scrapes, 500 series × 1 sample a request';
const BACKLOG = 'backlog, 500 series × 100 samples a request';
const INGEST_PHASES = ['first', 'live', 'backlog'];
const INGEST_BOUNDS: Readonly<Record<string, Partial<Figure>>> = {
  [FIRST]: { ratios: { prometheus: 1, 'victoria-metrics': 1 } },
  [LIVE]: { target: 0.5, ratios: { prometheus: 0.167, 'victoria-metrics': 0.5 } },
  [BACKLOG]: { target: 0.1 },
};

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    phases: {
      type: 'string',
      default: 'first,live,backlog,queries,day,sizes,engine,holds,churn',
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
const only = options.only.split(',').filter(Boolean);
let peers: readonly Peer[] = [];
if (['first', 'live', 'backlog', 'queries'].some(phase => phases.includes(phase))) {
  await withPeers(async () => {
    const idle = new Map(peers.map(peer => [peer.name, pssBytes(peer.pid)]));
    const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
    const seriesCount = await ingestAll(end);
    if (INGEST_PHASES.some(phase => phases.includes(phase))) await memory(idle, seriesCount);
    if (!phases.includes('queries')) return;
    figures.push(
      ...(await askAll(peers, HOUR, { end: end - 2 * STEP_MS, now: end, rounds, hosts })),
    );
  });
  record();
}
if (phases.includes('day')) {
  await withPeers(async () => {
    const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
    await ingestDay(end);
    figures.push(
      ...(await askAll(peers, DAY, { end: end - 2 * STEP_MS, now: end, rounds, hosts: DAY_HOSTS })),
    );
  });
  record();
}
agent.destroy();
if (phases.includes('sizes')) {
  figures.push(...(await toldBy('cold.ts', ['--only-sizes'])));
  record();
}
for (const script of ['engine', 'holds', 'churn']) {
  if (!phases.includes(script)) continue;
  figures.push(...(await toldBy(`${script}.ts`)));
  record();
}

/** Runs a part of the bench on fresh servers. */
async function withPeers(part: () => Promise<void>): Promise<void> {
  peers = await startPeers(only);
  try {
    await part();
  } finally {
    for (const peer of peers) await peer.stop();
  }
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
  const hasFirst = isLive || phases.includes('first');
  const hasBacklog = phases.includes('backlog') || phases.includes('queries');
  const scrapes = (hasFirst ? 1 : 0) + (isLive ? COLD_SCRAPES + LIVE_SCRAPES : 0);
  // The last sample is the newest there can be, whichever phases run: instant queries look for it.
  let at = end - (scrapes + (hasBacklog ? chunks * BACKLOG_CHUNK : 0)) * STEP_MS;
  const round = async (what: string, count: number, samples: number): Promise<void> => {
    const bodies: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      for (const group of groups) bodies.push(remoteWriteBody(group, at, STEP_MS, samples, random));
      at += samples * STEP_MS;
    }
    await ingest(what, bodies, seriesCount * count * samples);
  };
  if (hasFirst) await round(FIRST, 1, 1);
  if (isLive) await round('live scrapes, code still cold', COLD_SCRAPES, 1);
  if (isLive) await round(LIVE, LIVE_SCRAPES, 1);
  if (hasBacklog) await round(BACKLOG, chunks, BACKLOG_CHUNK);
  return seriesCount;
}

/** A day of few hosts, an hour of each in turn, as if servers had been fed all day. */
async function ingestDay(end: number): Promise<void> {
  const random = seeded(2);
  const groups = Array.from({ length: DAY_HOSTS }, (_, host) => hostSeries(host));
  for (let left = DAY_SAMPLES; left > 0; left -= DAY_CHUNK) {
    for (const group of groups) {
      const body = remoteWriteBody(group, end - left * STEP_MS, STEP_MS, DAY_CHUNK, random);
      for (const peer of peers) await write(peer, body);
    }
  }
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
  // A backlog that only makes data for queries is no figure.
  if (outpost !== undefined && INGEST_PHASES.some(phase => phases.includes(phase))) {
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
