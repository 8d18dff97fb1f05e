// What the installed peers need on disk for a fleet's samples: written to them over remote write, then
// brought into the shape in which old data lies.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ProtoWriter } from '../../src/encoding/proto.ts';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import { Labels } from '../../src/labels/labels.ts';
import { folderBytes, type Peer, startPeers } from './peers.ts';
import type { Fleet } from './trace.ts';

/** Bytes on disk. */
export interface StoredSize {
  readonly name: string;
  readonly times: number;
  readonly values: number;
  /** Times and values together where they cannot be told apart. */
  readonly chunks: number;
  readonly index: number;
}

const SAMPLES_AT_ONCE = 120;
const DEADLINE_MS = 60_000;
const DAY_MS = 86_400_000;

/** One block of Prometheus, from a snapshot. Null where it is not installed. */
export async function prometheusSize(fleet: Fleet): Promise<StoredSize | null> {
  const [peer] = await startPeers(['prometheus'], {
    prometheus: [
      '--web.enable-admin-api',
      '--storage.tsdb.min-block-duration=100d',
      '--storage.tsdb.max-block-duration=100d',
      '--storage.tsdb.retention.time=10y',
    ],
  });
  if (!peer) return null;
  try {
    await write(peer, fleet);
    const answer = await fetch(`${peer.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
    if (!answer.ok) throw new Error(`prometheus: no snapshot: ${await answer.text()}`);
    const files = filesBelow(join(peer.dataDir, 'snapshots'));
    const chunks = bytesOf(files, '/chunks/');
    return { name: 'Prometheus', times: 0, values: 0, chunks, index: bytesOf(files, '/index') };
  } finally {
    await peer.stop();
  }
}

/** The parts of VictoriaMetrics after a forced merge. Null where it is not installed. */
export async function victoriaSize(fleet: Fleet): Promise<StoredSize | null> {
  const [peer] = await startPeers(['victoria-metrics']);
  if (!peer) return null;
  try {
    await write(peer, fleet);
    const prefixes = new Set(fleet.times.flatMap(times => monthsOf(times)));
    await get(peer, 'internal/force_flush');
    for (const prefix of prefixes) {
      await get(peer, `internal/force_merge?partition_prefix=${prefix}`);
    }
    await settled(peer);
    const files = filesBelow(peer.dataDir);
    const times = bytesOf(files, '/timestamps.bin');
    const values = bytesOf(files, '/values.bin');
    const index = bytesOf(files, '/data/') - times - values + indexDbBytes(peer.dataDir);
    return { name: 'VictoriaMetrics', times, values, chunks: times + values, index };
  } finally {
    await peer.stop();
  }
}

/** How many samples of one host come back from VictoriaMetrics with other bits than were written. */
export async function victoriaChanged(fleet: Fleet): Promise<number | null> {
  const [peer] = await startPeers(['victoria-metrics']);
  if (!peer) return null;
  try {
    const host = { ...fleet, times: fleet.times.slice(0, 1), series: fleet.series.slice(0, 1) };
    await write(peer, host);
    await get(peer, 'internal/force_flush');
    const match = encodeURIComponent('{instance!=""}');
    const times = fleet.times[0]!;
    const range = `start=${times[0]! / 1000 - 1}&end=${times.at(-1)! / 1000 + 1}`;
    const text = await get(peer, `api/v1/export?match[]=${match}&${range}`);
    const written = new Map(fleet.series[0]!.map(one => [one.labels.toString(), one.values]));
    let changed = 0;
    for (const line of text.trimEnd().split('\n')) {
      const { metric, values } = JSON.parse(line) as {
        metric: Record<string, string>;
        values: number[];
      };
      const original = written.get(Labels.fromObject(metric).toString())!;
      values.forEach((value, i) => {
        if (!Object.is(value, original[i])) changed++;
      });
    }
    return changed;
  } finally {
    await peer.stop();
  }
}

/** Series of one host in one request, rounds over all hosts in time order: nobody sees old samples. */
async function write(peer: Peer, { times, series }: Fleet): Promise<void> {
  const scrapes = times[0]!.length;
  for (let from = 0; from < scrapes; from += SAMPLES_AT_ONCE) {
    const to = Math.min(from + SAMPLES_AT_ONCE, scrapes);
    for (const [host, own] of series.entries()) {
      const writer = new ProtoWriter(1 << 20);
      for (const { labels, values } of own) {
        writer.messageField(1, () => {
          for (const [name, value] of labels) {
            writer.messageField(1, () => {
              writer.stringField(1, name);
              writer.stringField(2, value);
            });
          }
          for (let i = from; i < to; i++) {
            writer.messageField(2, () => {
              writer.doubleField(1, values[i]!);
              writer.int64Field(2, times[host]![i]!);
            });
          }
        });
      }
      await post(peer, snappyEncode(writer.finish()));
    }
  }
}

async function post(peer: Peer, body: Uint8Array): Promise<void> {
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

async function get(peer: Peer, path: string): Promise<string> {
  const answer = await fetch(`${peer.url}/${path}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${peer.name}: ${path}: ${answer.status}: ${text}`);
  return text;
}

/** Waits until the merge has ended and its sources are gone. */
async function settled(peer: Peer): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let last = -1;
  let same = 0;
  while (same < 4) {
    if (Date.now() > deadline) throw new Error(`${peer.name} still merges after 60 s`);
    await new Promise(resolve => setTimeout(resolve, 500));
    const active = /^vm_active_force_merges (\d+)/m.exec(await get(peer, 'metrics'))?.[1];
    const bytes = folderBytes(join(peer.dataDir, 'data'));
    same = active === '0' && bytes === last ? same + 1 : 0;
    last = bytes;
  }
}

function monthsOf(times: Float64Array): string[] {
  const months = new Set<string>();
  for (let at = times[0]!; ; at = Math.min(at + DAY_MS, times.at(-1)!)) {
    months.add(new Date(at).toISOString().slice(0, 7).replace('-', '_'));
    if (at === times.at(-1)) return [...months];
  }
}

function indexDbBytes(dataDir: string): number {
  return folderBytes(join(dataDir, 'indexdb'));
}

function filesBelow(folder: string): { path: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path, bytes: statSync(path).size }));
}

function bytesOf(files: readonly { path: string; bytes: number }[], part: string): number {
  return files.reduce((sum, file) => sum + (file.path.includes(part) ? file.bytes : 0), 0);
}
