// Bytes a sample of old data, ours beside the installed peers, and what the denser form costs to write and
// to read. Sizes: the recorded host as it is, since a repeated recording compresses far better than life.
// Times: generated hosts, whose values all move. Options: --recording FILE, --hosts N, --scrapes N,
// --only-times, --only-sizes, --on-time (generated scrapes are not late).

import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { coldDecoder } from '../../src/kernels/cold.ts';
import { encodeXor, xorDecoder } from '../../src/kernels/xor.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { type SeriesChunks, writeBlock } from '../../src/tsdb/block/block-writer.ts';
import {
  COLD_CHUNKS_FOLDER,
  COLD_INDEX_FILE,
  openColdBlock,
} from '../../src/tsdb/cold/cold-block.ts';
import { ColdChunkEncoder } from '../../src/tsdb/cold/cold-chunk.ts';
import { freezeBlock } from '../../src/tsdb/cold/freeze.ts';
import { PageCache } from '../../src/tsdb/cold/page-cache.ts';
import { corpusFolder } from '../fakes/corpora.ts';
import { prometheusSize, type StoredSize, victoriaChanged, victoriaSize } from './cold-peers.ts';
import { tell } from './figures.ts';
import { hostSeries, seeded } from './generator.ts';
import { folderBytes } from './peers.ts';
import { printTable } from './table.ts';
import { type Fleet, readRecording, replay } from './trace.ts';

const STEP_MS = 15_000;
const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const HOUR_MS = 3_600_000;
const COLD_SAMPLES = 512;

const { values: options } = parseArgs({
  options: {
    recording: { type: 'string', default: join(corpusFolder('trace') ?? '', 'trace.json') },
    hosts: { type: 'string', default: '2' },
    scrapes: { type: 'string', default: '5760' },
    'only-times': { type: 'boolean', default: false },
    'only-sizes': { type: 'boolean', default: false },
    'on-time': { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'bench-cold-'));
try {
  const absent = !existsSync(options.recording);
  if (absent) console.log(`sizes are left out: there is no recording ${options.recording}`);
  if (!absent && !options['only-times']) await sizes();
  if (!options['only-sizes']) await times();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function sizes(): Promise<void> {
  const recording = readRecording(options.recording);
  const scrapes = recording.t.length;
  const end = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  for (const jitter of [false, true]) {
    const fleet = replay(recording, {
      hosts: 1,
      scrapes,
      start: end - scrapes * STEP_MS,
      stepMs: STEP_MS,
      jitter,
    });
    const { standard, cold } = await writeBoth(fleet, `sizes-${jitter}`);
    const rows = [
      sizeOf('Outpost, standard block', standard, 'chunks', 'index'),
      sizeOf('Outpost, cold block', cold, COLD_CHUNKS_FOLDER, COLD_INDEX_FILE),
      await prometheusSize(fleet),
      await victoriaSize(fleet),
    ];
    printTable(
      `bytes a sample — ${fleet.series[0]!.length} series × ${scrapes} scrapes, ${jitter ? 'as late as they were' : 'on time'}`,
      ['store', 'times and values', 'index', 'all'],
      rows
        .filter(row => row !== null)
        .map(({ name, chunks, index }) => [
          name,
          ...[chunks, index, chunks + index].map(bytes => (bytes / fleet.sampleCount).toFixed(3)),
        ]),
    );
    tellSizes(rows, fleet.sampleCount, jitter);
    if (options['only-sizes']) continue;
    decodeRates(fleet);
    if (!jitter) {
      const changed = await victoriaChanged(fleet);
      if (changed !== null)
        console.log(
          `VictoriaMetrics changed the bits of ${changed} of ${fleet.sampleCount} values`,
        );
    }
  }
}

/** The figures that have targets: a block beside Prometheus', a cold one beside what VictoriaMetrics has. */
function tellSizes(rows: readonly (StoredSize | null)[], samples: number, isLate: boolean): void {
  const [standard, cold, prometheus, victoria] = rows.map(row =>
    row ? (row.chunks + row.index) / samples : undefined,
  );
  const when = isLate ? 'scrapes as late as they were' : 'scrapes on time';
  const bound = { group: 'Bytes on disk', unit: 'bytes a sample' };
  tell({
    ...bound,
    what: `block with its index, one host, ${when}`,
    ours: standard!,
    peers: {
      ...(prometheus !== undefined && { prometheus }),
      ...(victoria !== undefined && { 'victoria-metrics': victoria }),
    },
    ratios: { prometheus: 1 },
  });
  tell({
    ...bound,
    what: `cold block with its index, one host, ${when}`,
    ours: cold!,
    peers: { ...(victoria !== undefined && { 'victoria-metrics': victoria }) },
    ratios: { 'victoria-metrics': 1 },
  });
}

/** Values of whole series through both kernels, chunk by chunk. */
function decodeRates({ times, series, sampleCount }: Fleet): void {
  const encoder = new ColdChunkEncoder();
  const xor: Uint8Array[] = [];
  const cold: { readonly data: Uint8Array; readonly at: number; readonly count: number }[] = [];
  for (const { values } of series[0]!) {
    const columns = { times: times[0]!, values };
    for (let from = 0; from < values.length; from += COLD_SAMPLES) {
      const to = Math.min(from + COLD_SAMPLES, values.length);
      // A step below 128: the head is the count, one byte for the kind, one for the step.
      const { data } = encoder.floats(columns, from, to, { step: 1, timesPlace: -1 });
      cold.push({ data, at: to - from < 128 ? 3 : 4, count: to - from });
    }
    for (let from = 0; from < values.length; from += 120) {
      xor.push(encodeXor(times[0]!, values, from, Math.min(from + 120, values.length)));
    }
  }
  const rate = (work: () => void): string => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 9; round++) {
      const began = performance.now();
      work();
      best = Math.min(best, performance.now() - began);
    }
    return (sampleCount / best / 1000).toFixed(0);
  };
  const xorRate = rate(() => {
    for (const chunk of xor) xorDecoder().decode(chunk);
  });
  const coldRate = rate(() => {
    for (const { data, at, count } of cold) coldDecoder().decodeValues(data, at, count);
  });
  console.log(`kernels decode, M samples/s: XOR ${xorRate}, cold ${coldRate} (zstd not included)`);
}

function sizeOf(name: string, dir: string, chunks: string, index: string): StoredSize {
  return {
    name,
    times: 0,
    values: 0,
    chunks: folderBytes(join(dir, chunks)),
    index: statSync(join(dir, index)).size,
  };
}

async function writeBoth(
  fleet: Fleet,
  name: string,
): Promise<{ standard: string; cold: string; freezeMs: number }> {
  const series: SeriesChunks[] = fleet.series
    .flatMap((own, host) =>
      own.map(({ labels, values }) => {
        const columns = new SampleColumns(values.length);
        columns.append(fleet.times[host]!, values, 0, values.length);
        return { labels, chunks: encodeColumns(columns) };
      }),
    )
    .sort((a, b) => a.labels.compareTo(b.labels));
  const parents = ['standard', 'cold'].map(kind => join(folder, `${name}-${kind}`));
  for (const parent of parents) mkdirSync(parent);
  const all = fleet.times.flatMap(column => [column[0]!, column.at(-1)!]);
  await writeBlock(parents[0]!, series, {
    ulid: ULID,
    minTime: Math.min(...all),
    maxTime: Math.max(...all) + 1,
    level: 1,
  });
  const block = await Block.open(join(parents[0]!, ULID));
  const before = process.cpuUsage();
  await freezeBlock(block, parents[1]!);
  const { user, system } = process.cpuUsage(before);
  const freezeMs = (user + system) / 1000;
  await block.close();
  return { standard: block.dir, cold: join(parents[1]!, ULID), freezeMs };
}

async function times(): Promise<void> {
  const fleet = generated();
  const { standard, cold, freezeMs } = await writeBoth(fleet, 'times');
  const perSample = (dir: string): string => (folderBytes(dir) / fleet.sampleCount).toFixed(3);
  console.log(
    `\n${fleet.sampleCount} generated samples: standard ${perSample(standard)} bytes each, cold ${perSample(cold)}; frozen with ${((freezeMs * 1000) / fleet.sampleCount).toFixed(3)} µs of CPU each`,
  );
  const blocks = [
    await Block.open(standard),
    await openColdBlock(cold),
    await openColdBlock(cold, { cache: new PageCache(1) }),
  ];
  const last = Math.max(...fleet.times.map(column => column.at(-1)!));
  const host = new Matcher('=', 'instance', 'host-0:9100');
  const name = (value: string): Matcher => new Matcher('=', '__name__', value);
  const queries: readonly (readonly [string, readonly Matcher[], number, number])[] = [
    ['one series, all', [name('node_load1'), host], -Infinity, 300],
    ['one series, last hour', [name('node_load1'), host], last - HOUR_MS, 300],
    ['one host, all', [host], -Infinity, 15],
    ['one host, last hour', [host], last - HOUR_MS, 40],
    ['one metric, all hosts, all', [name('node_cpu_seconds_total')], -Infinity, 10],
    ['one metric, all hosts, last hour', [name('node_cpu_seconds_total')], last - HOUR_MS, 40],
    ['everything, all', [new Matcher('=~', '__name__', '.+')], -Infinity, 5],
  ];
  const rows: string[][] = [];
  for (const [title, matchers, from, rounds] of queries) {
    const spent: number[][] = blocks.map(() => []);
    let samples = 0;
    for (let round = 0; round < rounds * 2; round++) {
      for (const [i, block] of blocks.entries()) {
        const began = performance.now();
        samples = await readAll(block, from, matchers);
        if (round >= rounds) spent[i]!.push(performance.now() - began);
      }
    }
    const medians = spent.map(all => all.toSorted((x, y) => x - y)[all.length >> 1]!);
    const ratios = medians.slice(1).map(median => (median / medians[0]!).toFixed(2));
    rows.push([title, String(samples), ...medians.map(ms => ms.toFixed(3)), ...ratios]);
  }
  for (const block of blocks) await block.close();
  printTable(
    'select and decode, median ms',
    ['query', 'samples', 'standard', 'cold', 'no cache', 'ratio', 'no cache'],
    rows,
  );
}

async function readAll(block: Block, from: number, matchers: readonly Matcher[]): Promise<number> {
  const columns = new SampleColumns();
  const querier = block.querier(from, Infinity);
  let samples = 0;
  try {
    const set = await querier.select(matchers);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      for (const series of batch) {
        columns.clear();
        series.samples(columns);
        samples += columns.length;
      }
    }
  } finally {
    querier.close();
  }
  return samples;
}

function generated(): Fleet {
  const hosts = Number(options.hosts);
  const scrapes = Number(options.scrapes);
  const random = seeded(7);
  const lateMs = options['on-time'] ? 1 : 4;
  const start = Math.floor(Date.now() / STEP_MS) * STEP_MS - scrapes * STEP_MS;
  const columns: Float64Array[] = [];
  const series = Array.from({ length: hosts }, (_, host) => {
    columns.push(
      Float64Array.from(
        { length: scrapes },
        (_, i) => start + i * STEP_MS + Math.floor(random() * lateMs),
      ),
    );
    return hostSeries(host).map(one => {
      const values = new Float64Array(scrapes);
      for (let i = 0; i < scrapes; i++) {
        one.value = one.step(one.value, random);
        values[i] = one.value;
      }
      return { labels: one.labels, values };
    });
  });
  return { times: columns, series, sampleCount: series.flat().length * scrapes };
}
