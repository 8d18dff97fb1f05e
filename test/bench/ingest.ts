// CPU of the server process per sample that comes over remote write, ours beside the installed peers in one
// run on the same bytes, from the first request of a fresh process on: a cold server is part of the truth.
// Options: --hosts N (500 series each; default 40), --scrapes N (default 40), --only a,b.

import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { hostSeries, remoteWriteBody, seeded } from './generator.ts';
import { cpuSeconds, type Peer, pssBytes, startPeers } from './peers.ts';
import { printTable } from './table.ts';

const STEP_MS = 15_000;
const BACKLOG_SAMPLES = 60;
// About 31 MiB when decompressed.
const HUGE_SERIES = 120_000;
const HUGE_SAMPLES = 7;

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '40' },
    scrapes: { type: 'string', default: '40' },
    only: { type: 'string', default: '' },
  },
});
const hosts = Number(options.hosts);
const scrapes = Number(options.scrapes);
const agent = new Agent({ keepAlive: true, maxSockets: 2 });

interface Phase {
  readonly name: string;
  readonly bodies: readonly Uint8Array[];
  readonly samples: number;
}

const random = seeded(1);
const groups = Array.from({ length: hosts }, (_, host) => hostSeries(host));
const seriesCount = groups.reduce((sum, group) => sum + group.length, 0);
const chunks = Math.ceil(scrapes / 8);
const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
let time = end - (1 + scrapes + chunks * BACKLOG_SAMPLES) * STEP_MS;

const peers = await startPeers(options.only.split(',').filter(Boolean));
try {
  const phases = [
    phase('live, first scrape: every series is new', 1, 1),
    phase('live, next scrapes: cold code', Math.ceil(scrapes / 8), 1),
    phase('live, warm', scrapes - Math.ceil(scrapes / 8), 1),
    phase('backlog, 60 samples a series', chunks, BACKLOG_SAMPLES),
  ];
  const idle = peers.map(peer => pssBytes(peer.pid));
  const cells: number[][] = [];
  for (const one of phases) cells.push(await measure(one));
  printTable(
    `CPU of the server, µs a sample — ${hosts} hosts, ${seriesCount} series`,
    ['phase', 'requests', ...peers.map(peer => peer.name), ...ratioHeads()],
    phases.map((one, i) => [one.name, String(one.bodies.length), ...row(cells[i]!)]),
  );
  printTable(
    'memory above idle, KiB a series',
    ['server', 'Pss'],
    peers.map((peer, i) => [
      peer.name,
      ((pssBytes(peer.pid) - idle[i]!) / 1024 / seriesCount).toFixed(2),
    ]),
  );
  await huge();
} finally {
  agent.destroy();
  for (const peer of peers) await peer.stop();
}

function phase(name: string, rounds: number, samples: number): Phase {
  const bodies: Uint8Array[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) {
      bodies.push(remoteWriteBody(group, time, STEP_MS, samples, random));
    }
    time += samples * STEP_MS;
  }
  return { name, bodies, samples: rounds * samples * seriesCount };
}

async function measure({ bodies, samples }: Phase): Promise<number[]> {
  const used: number[] = [];
  for (const peer of peers) {
    const before = cpuSeconds(peer.pid);
    for (const body of bodies) await post(peer, body);
    used.push(((cpuSeconds(peer.pid) - before) / samples) * 1e6);
  }
  return used;
}

function others(): Peer[] {
  return peers.filter(peer => peer.name !== 'outpost');
}

function ratioHeads(): string[] {
  return others().map(peer => `ours / ${peer.name}`);
}

function row(used: readonly number[]): string[] {
  const ours = used[peers.findIndex(peer => peer.name === 'outpost')] ?? Number.NaN;
  const theirs = others().map(peer => used[peers.indexOf(peer)]!);
  return [...used.map(cpu => cpu.toFixed(3)), ...theirs.map(cpu => (ours / cpu).toFixed(2))];
}

function post(peer: Peer, body: Uint8Array): Promise<void> {
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

/** How long a body near the limit keeps a server from answering others: first with new series, then known. */
async function huge(): Promise<void> {
  const rows: string[][] = [];
  const copies = Math.ceil(HUGE_SERIES / seriesCount);
  const series = Array.from({ length: copies * hosts }, (_, i) => hostSeries(1000 + i)).flat();
  const bodies = [0, 1, 2].map(() => {
    time += HUGE_SAMPLES * STEP_MS;
    return remoteWriteBody(series, time - HUGE_SAMPLES * STEP_MS, STEP_MS, HUGE_SAMPLES, random);
  });
  for (const peer of peers) {
    const cells = [];
    for (const body of bodies) cells.push((await slowestAnswer(peer, body)).toFixed(0));
    rows.push([peer.name, ...cells]);
  }
  printTable(
    `slowest other answer while a body of ${series.length} series × ${HUGE_SAMPLES} samples is taken, ms`,
    ['server', 'new series', 'known', 'known'],
    rows,
  );
}

async function slowestAnswer(peer: Peer, body: Uint8Array): Promise<number> {
  let isOpen = true;
  const done = post(peer, body).finally(() => {
    isOpen = false;
  });
  let slowest = 0;
  while (isOpen) {
    const began = performance.now();
    await (await fetch(`${peer.url}/api/v1/status/buildinfo`)).arrayBuffer();
    slowest = Math.max(slowest, performance.now() - began);
  }
  await done;
  return slowest;
}
