// The bytes shown in docs/reference/formats are what our code reads and writes.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SampleBatch } from '../../plugins/host/sample-batch-reader.ts';
import { parseHandshake } from '../../plugins/sdk/handshake.ts';
import { MetricTable } from '../../plugins/sdk/metrics.ts';
import { SampleBatchWriter } from '../../plugins/sdk/sample-batch.ts';
import { writeFamilies } from '../../src/exposition/dialect.ts';
import { negotiateExposition } from '../../src/exposition/negotiate.ts';
import { encodeXor, XorDecoder } from '../../src/kernels/xor.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import type { FloatHistogram } from '../../src/storage/histogram.ts';
import { HistogramChunkAppender } from '../../src/storage/histogram-chunk/appender.ts';
import { decodeHistogramChunk } from '../../src/storage/histogram-chunk/decode.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { setStale } from '../../src/storage/stale.ts';
import { decodeInfo, encodeInfo } from '../../src/storeapi/info.ts';
import { decodeSeriesRequest, encodeSeriesRequest } from '../../src/storeapi/requests.ts';
import { decodeResponse, SeriesEncoder } from '../../src/storeapi/series-codec.ts';
import { StringCache } from '../../src/storeapi/string-cache.ts';
import type { MetricFamily } from '../../src/telemetry/metrics.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { type WriteBlockOptions, writeBlock } from '../../src/tsdb/block/block-writer.ts';
import { parseMeta, serialiseMeta } from '../../src/tsdb/block/meta.ts';
import { Tombstones } from '../../src/tsdb/block/tombstones.ts';
import { isUlid, ulidTime } from '../../src/tsdb/block/ulid.ts';
import {
  ChunksRecordWriter,
  decodeBegin,
  decodeChunksRecord,
  encodeBegin,
} from '../../src/tsdb/head/snapshot/snapshot-records.ts';
import {
  decodeExemplarsRecord,
  encodeExemplarsRecord,
  type LoggedExemplar,
} from '../../src/tsdb/wal/exemplars-record.ts';
import {
  decodeHistogramRecord,
  HistogramRecordWriter,
  LoggedHistograms,
} from '../../src/tsdb/wal/histogram-record.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, openTestDb } from '../fakes/test-db.ts';
import { documents, fencedBlocks, hexBytes } from './documents.ts';

const T = 1_700_000_000_000;
const ULID = '01HF7YAT00ABCDEFGHJKMNPQRS';
const up = (job: string): Labels => Labels.fromObject({ __name__: 'up', job });

const named = documents('docs/reference/formats')
  .flatMap(fencedBlocks)
  .filter(block => block.name !== '');
const shown = new Set<string>();

function block(name: string) {
  const found = named.find(one => one.name === name);
  if (!found) throw new Error(`no fenced block name=${name} under docs/reference/formats`);
  shown.add(name);
  return found;
}

const bytesOf = (name: string): Uint8Array => hexBytes(block(name));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a stale marker', () => {
  const value = new Float64Array(1);
  setStale(value, 0);
  expect(hex(new Uint8Array(value.buffer).reverse())).toBe(hex(bytesOf('readme-stale-marker')));
});

describe('tombstones', () => {
  test('of a block without deletions', () => {
    expect(hex(new Tombstones().encode())).toBe(hex(bytesOf('tombstones-empty')));
    expect(Tombstones.decode(bytesOf('tombstones-empty'), 'docs').count).toBe(0);
  });

  test('of two series', () => {
    const bytes = bytesOf('tombstones');
    const read = Tombstones.decode(bytes, 'docs');
    expect(read.intervals(3)).toEqual([{ minTime: T, maxTime: T + 90_000 }]);
    expect(read.intervals(5)).toEqual([{ minTime: -1, maxTime: 1 }]);
    expect(hex(read.encode())).toBe(hex(bytes));
  });
});

describe('meta.json', () => {
  test('is read and written', () => {
    const { text } = block('meta');
    const meta = parseMeta(text, 'docs');
    expect(meta).toMatchObject({
      ulid: ULID,
      minTime: 1_699_999_200_000,
      maxTime: 1_700_006_400_000,
      stats: { numSeries: 2, numChunks: 3, numSamples: 6 },
      compaction: { level: 1, sources: [ULID] },
    });
    expect(JSON.parse(serialiseMeta(meta))).toEqual(JSON.parse(text));
  });

  test('has a name that says when it was written', () => {
    expect(isUlid(ULID)).toBe(true);
    expect(new Date(ulidTime(ULID)).toISOString()).toMatch(/^2023-11-14T/);
  });
});

describe('chunks', () => {
  test('of floats', () => {
    const bytes = bytesOf('chunks-xor');
    const decoder = new XorDecoder();
    expect(decoder.decode(bytes)).toBe(4);
    expect([...decoder.times.subarray(0, 4)]).toEqual([T, T + 15_000, T + 30_000, T + 45_001]);
    expect([...decoder.values.subarray(0, 4)]).toEqual([1, 1, 0, 1]);
    expect(hex(encodeXor(decoder.times.slice(0, 4), decoder.values.slice(0, 4), 0, 4))).toBe(
      hex(bytes),
    );
  });

  test('of histograms', () => {
    const bytes = bytesOf('chunks-histogram');
    const out = new SampleColumns();
    decodeHistogramChunk(bytes, out);
    expect([...out.times.subarray(0, out.length)]).toEqual([T, T + 15_000]);
    expect(out.histograms).toMatchObject([histogram(1), histogram(2)]);
    const appender = new HistogramChunkAppender();
    expect(appender.append(T, histogram(1))).toBeNull();
    expect(appender.append(T + 15_000, histogram(2))).toBeNull();
    expect(hex(appender.bytes())).toBe(hex(bytes));
  });
});

describe('a block', () => {
  const one = encodeXor(Float64Array.of(T), Float64Array.of(1), 0, 1);
  const later = encodeXor(Float64Array.of(T + 1000), Float64Array.of(1), 0, 1);
  const series = () => [
    {
      labels: up('a'),
      chunks: [{ minTime: T, maxTime: T + 45_001, encoding: 1, data: bytesOf('chunks-xor') }],
    },
    {
      labels: up('b'),
      chunks: [
        { minTime: T, maxTime: T, encoding: 1, data: one },
        { minTime: T + 1000, maxTime: T + 1000, encoding: 1, data: later },
      ],
    },
  ];
  const options: WriteBlockOptions = {
    ulid: ULID,
    minTime: 1_699_999_200_000,
    maxTime: 1_700_006_400_000,
    level: 1,
  };

  test('is written with the bytes shown', async () => {
    const dir = temporaryDirectory();
    await writeBlock(dir, series(), options);
    const file = async (name: string): Promise<string> =>
      hex(await readFile(join(dir, ULID, name)));
    expect(await file('chunks/000001')).toBe(hex(bytesOf('chunks-segment')));
    expect(await file('index')).toBe(hex(bytesOf('index')));
    expect(await file('tombstones')).toBe(hex(bytesOf('tombstones-empty')));
    expect(await readFile(join(dir, ULID, 'meta.json'), 'utf8')).toBe(block('meta').text);
  });

  test('is read from the bytes shown', async () => {
    const dir = join(temporaryDirectory(), ULID);
    await mkdir(join(dir, 'chunks'), { recursive: true });
    await writeFile(join(dir, 'chunks/000001'), bytesOf('chunks-segment'));
    await writeFile(join(dir, 'index'), bytesOf('index'));
    await writeFile(join(dir, 'tombstones'), bytesOf('tombstones-empty'));
    await writeFile(join(dir, 'meta.json'), block('meta').text);
    const opened = await Block.open(dir);
    expect(await contents(opened, [new Matcher('=', '__name__', 'up')])).toEqual(
      new Map([
        [up('a').toString(), [`${T}:1`, `${T + 15_000}:1`, `${T + 30_000}:0`, `${T + 45_001}:1`]],
        [up('b').toString(), [`${T}:1`, `${T + 1000}:1`]],
      ]),
    );
    await opened.close();
  });
});

describe('the log', () => {
  test('is written with the bytes shown', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir, { clock: new ManualClock(T + 60_000) });
    const first = db.appender();
    const a = first.series(up('a'));
    const b = first.series(up('b'));
    first.metadata('up', { type: 'gauge', help: 'Is it up?', unit: '' });
    first.append(a, T, 1);
    first.append(b, T, 1);
    await first.commit();
    const second = db.appender();
    second.append(a, T + 15_000, 1);
    second.appendStale(b, T + 15_000);
    await second.commit();
    await db.delete(T, T, [new Matcher('=', 'job', 'b')]);
    await db.close();
    expect(hex(await readFile(join(dir, 'wal/00000000')))).toBe(hex(bytesOf('wal')));
  });

  test('is read from the bytes shown', async () => {
    const dir = temporaryDirectory();
    await mkdir(join(dir, 'wal'));
    await writeFile(join(dir, 'wal/00000000'), bytesOf('wal'));
    const db = await openTestDb(dir, { clock: new ManualClock(T + 60_000) });
    expect(db.replay).toMatchObject({ records: 5, series: 2, samples: 4, damages: 0 });
    expect(await contents(db)).toEqual(
      new Map([
        [up('a').toString(), [`${T}:1`, `${T + 15_000}:1`]],
        [up('b').toString(), [`${T + 15_000}:stale`]],
      ]),
    );
    expect(db.metadata().get('up')).toEqual({ type: 'gauge', help: 'Is it up?', unit: '' });
    await db.close();
  });

  test('holds histograms', () => {
    const bytes = bytesOf('wal-histogram');
    const read = new LoggedHistograms();
    decodeHistogramRecord(bytes, read);
    expect([read.refs[0], read.times[0]]).toEqual([1, T]);
    expect(read.histograms).toMatchObject([histogram(1)]);
    expect(hex(new HistogramRecordWriter().encode(7, read, () => true)!)).toBe(hex(bytes));
  });
});

describe('exemplars in the log', () => {
  test('are read and written', () => {
    const bytes = bytesOf('wal-exemplars');
    const read: LoggedExemplar[] = [];
    decodeExemplarsRecord(bytes, logged => read.push(logged));
    const labels = Labels.fromObject({ trace_id: 'ab12' });
    expect(read).toEqual([{ ref: 1, exemplar: { labels, value: 0.5, time: T } }]);
    expect(hex(encodeExemplarsRecord(read))).toBe(hex(bytes));
  });
});

test('records of a head snapshot are read and written', () => {
  const begin = {
    chunkRangeMs: 7_200_000,
    nextRef: 4,
    mark: { checkpoint: 2, end: 5, segments: 2, bytes: 300 },
  };
  expect(decodeBegin(bytesOf('head-snapshot-begin'))).toEqual(begin);
  expect(hex(encodeBegin(begin))).toBe(hex(bytesOf('head-snapshot-begin')));
  const data = Uint8Array.of(1, 2, 3);
  const chunks = [{ minTime: T, maxTime: T + 15_000, data }];
  decodeChunksRecord(bytesOf('head-snapshot-chunks'), (ref, found) => {
    expect([ref, found]).toEqual([3, chunks]);
  });
  const writer = new ChunksRecordWriter();
  writer.add(3, chunks);
  expect(hex(writer.bytes())).toBe(hex(bytesOf('head-snapshot-chunks')));
});

describe('/metrics', () => {
  const none = Labels.empty;
  const families: MetricFamily[] = [
    {
      name: 'http_requests_total',
      help: 'Requests served.',
      type: 'counter',
      samples: [{ suffix: '', labels: Labels.fromObject({ code: '200', path: '/' }), value: 1027 }],
    },
    {
      name: 'latency_seconds',
      help: 'Time to answer.',
      type: 'histogram',
      unit: 'seconds',
      samples: [
        { suffix: '_bucket', labels: Labels.fromObject({ le: '0.1' }), value: 3 },
        { suffix: '_bucket', labels: Labels.fromObject({ le: '+Inf' }), value: 4 },
        { suffix: '_sum', labels: none, value: 0.75 },
        { suffix: '_count', labels: none, value: 4 },
      ],
    },
    {
      name: 'temperature',
      help: 'Says "warm\\cold".\nSecond line.',
      type: 'gauge',
      samples: [
        {
          suffix: '',
          labels: Labels.fromObject({ room: 'a "b"\\\n' }),
          value: -1.5e-7,
          time: T,
        },
      ],
    },
  ];

  test.each([
    ['exposition-text', 'text/plain'],
    ['exposition-openmetrics', 'application/openmetrics-text; version=1.0.0'],
  ])('is written as %s shows', (name, accept) => {
    const { dialect } = negotiateExposition(accept);
    expect(writeFamilies(families, dialect)).toBe(block(name).text);
  });

  test.each([
    ['allow-utf-8', '# TYPE "my.metric" gauge\n{"my.metric"} 1\n'],
    ['underscores', '# TYPE my_metric gauge\nmy_metric 1\n'],
    ['dots', '# TYPE my_dot_metric gauge\nmy_dot_metric 1\n'],
    ['values', '# TYPE U__my_2e_metric gauge\nU__my_2e_metric 1\n'],
  ])('escapes my.metric under %s', (escaping, expected) => {
    const samples = [{ suffix: '', labels: none, value: 1 }];
    const family: MetricFamily = { name: 'my.metric', help: '', type: 'gauge', samples };
    const { dialect } = negotiateExposition(`text/plain; version=1.0.0; escaping=${escaping}`);
    expect(writeFamilies([family], dialect)).toBe(expected);
  });
});

describe('the plugin protocol', () => {
  test('begins with a handshake', () => {
    expect(parseHandshake(block('plugin-handshake').text, [1])).toEqual({
      protocolVersion: 1,
      network: 'unix',
      address: '/tmp/outpost-Vx2b1K/plugin-os-4711-0a1b2c3d',
      certificate: '',
    });
  });

  test('is written with the bytes shown', () => {
    const table = new MetricTable();
    const load = table.metricsOf('loadavg').gauge({ name: 'node_load1', help: 'Load.' }).with();
    const received = table
      .metricsOf('netdev')
      .counter({ name: 'node_rx_total', help: 'Rx.', labels: ['device'] })
      .with('lo');
    const writer = new SampleBatchWriter();
    table.begin();
    load.set(0.5);
    received.set(7);
    expect(hex(writer.encode(table, 0, []))).toBe(hex(bytesOf('plugin-first-answer')));
    table.begin();
    load.set(0.5);
    received.set(8);
    const known = table.definitionSeq;
    expect(hex(writer.encode(table, known, []))).toBe(hex(bytesOf('plugin-next-answer')));
    table.begin();
    received.set(9);
    const failures = [{ collector: 'loadavg', message: 'no such file' }];
    expect(hex(writer.encode(table, known, failures))).toBe(
      hex(bytesOf('plugin-failed-collector')),
    );
  });

  test('is read by the host', () => {
    const batch = new SampleBatch();
    batch.decode(bytesOf('plugin-first-answer'));
    expect(batch.families.map(({ name, type }) => [name, type])).toEqual([
      ['node_load1', 'gauge'],
      ['node_rx_total', 'counter'],
    ]);
    expect(batch.series).toEqual([
      { id: 0, family: 'node_load1', pairs: [], suffix: '' },
      { id: 1, family: 'node_rx_total', pairs: ['device', 'lo'], suffix: '' },
    ]);
    batch.decode(bytesOf('plugin-failed-collector'));
    expect([...batch.ids.subarray(0, batch.idCount)]).toEqual([1]);
    expect([...batch.values.subarray(0, batch.valueCount)]).toEqual([9]);
    expect(batch.failures).toEqual([{ collector: 'loadavg', message: 'no such file' }]);
  });
});

describe('the StoreAPI', () => {
  test('announces a store', () => {
    const info = decodeInfo(bytesOf('storeapi-info'));
    expect(info.componentType).toBe('sidecar');
    expect(info.labelSets.map(labels => labels.toObject())).toEqual([{ cluster: 'eu1' }]);
    const written = encodeInfo({
      componentType: 'sidecar',
      labelSets: info.labelSets,
      store: {
        minTime: T,
        maxTime: 2 ** 63,
        supportsSharding: true,
        supportsWithoutReplicaLabels: true,
        streams: [],
      },
      apis: [],
    });
    expect(hex(written)).toBe(hex(bytesOf('storeapi-info')));
  });

  test('is asked', () => {
    const bytes = bytesOf('storeapi-request');
    const query = decodeSeriesRequest(bytes);
    expect(query).toMatchObject({
      minTime: T,
      maxTime: T + 60_000,
      withoutReplicaLabels: ['replica'],
    });
    expect(query.matchers.map(String)).toEqual(['__name__="up"']);
    expect(hex(encodeSeriesRequest(query))).toBe(hex(bytes));
  });

  test('answers series and warnings', () => {
    const strings = new StringCache();
    const frame = decodeResponse(bytesOf('storeapi-series'), strings);
    const [only] = frame.series;
    expect(only!.labels.toObject()).toEqual({ __name__: 'up', job: 'b' });
    const encoder = new SeriesEncoder();
    expect(hex(encoder.series(only!.labels, only!.chunks))).toBe(hex(bytesOf('storeapi-series')));
    expect(decodeResponse(bytesOf('storeapi-warning'), strings).warnings).toEqual(['slow']);
    expect(hex(encoder.warning('slow'))).toBe(hex(bytesOf('storeapi-warning')));
  });
});

test('remarks name the offsets where things lie', () => {
  for (const one of named.filter(({ language }) => language === 'hex')) {
    let at = 0;
    for (const line of one.text.split('\n')) {
      const claimed = /# at (\d+)/.exec(line)?.[1];
      if (claimed !== undefined) expect([one.name, at]).toEqual([one.name, Number(claimed)]);
      at += line.replace(/#.*$/, '').replace(/\s+/g, '').length / 2;
    }
  }
});

test('every block with a name is looked at', () => {
  expect(named.map(({ name }) => name).sort()).toEqual([...shown].sort());
  expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
});

/** Schema 0, buckets n and 2n; the second of a chunk is known not to be a reset. */
function histogram(n: number): FloatHistogram {
  return {
    counterResetHint: n === 1 ? 'unknown' : 'not-reset',
    schema: 0,
    zeroThreshold: 2 ** -128,
    zeroCount: 0,
    count: 3 * n,
    sum: 4.5 * n,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveBuckets: Float64Array.of(n, 2 * n),
    negativeSpans: [],
    negativeBuckets: new Float64Array(0),
    customValues: new Float64Array(0),
    integer: true,
  };
}
