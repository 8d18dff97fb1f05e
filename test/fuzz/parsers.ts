// Every parser of bytes in the project, with bytes it takes. parsers.test.ts feeds each of them damage, and
// sees to it that a new one is added here.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SampleBatch } from '../../plugins/host/sample-batch-reader.ts';
import { MetricTable } from '../../plugins/sdk/metrics.ts';
import { SampleBatchWriter } from '../../plugins/sdk/sample-batch.ts';
import {
  AGGREGATES,
  decodeAggregate,
  encodeAggregates,
} from '../../src/downsample/aggregate-chunk.ts';
import { ProtoReader } from '../../src/encoding/proto.ts';
import { ReadBuffer } from '../../src/encoding/read-buffer.ts';
import { snappyDecode, snappyEncode } from '../../src/encoding/snappy.ts';
import { WriteBuffer } from '../../src/encoding/write-buffer.ts';
import { zstdDecode, zstdEncode } from '../../src/encoding/zstd.ts';
import { protobufFamilies } from '../../src/exposition/protobuf-families.ts';
import { ProtobufScanner } from '../../src/exposition/scan/protobuf-scanner.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { ManualClock } from '../../src/lifecycle/clock.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { Slicer } from '../../src/lifecycle/slicer.ts';
import { decodeReadRequest, encodeReadRequest } from '../../src/remote/read-request.ts';
import {
  decodeChunkedSeries,
  decodeSampledSeries,
  readResponseFrames,
} from '../../src/remote/read-response.ts';
import { RemoteWriteReceiver } from '../../src/remote/receiver.ts';
import { decodeChunk } from '../../src/storage/chunks.ts';
import { encodeColumns } from '../../src/storage/encode-columns.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { decodeXor2 } from '../../src/storage/xor2-chunk.ts';
import { decodeInfo, encodeInfo } from '../../src/storeapi/info.ts';
import {
  decodeExemplarsRequest,
  decodeMetadataRequest,
  decodeTargetsRequest,
  readExemplars,
  readMetadata,
  readTargets,
} from '../../src/storeapi/knowledge.ts';
import {
  decodeLabelNamesRequest,
  decodeLabelValuesRequest,
  decodeSeriesRequest,
  encodeLabelNamesRequest,
  encodeLabelValuesRequest,
  encodeSeriesRequest,
} from '../../src/storeapi/requests.ts';
import { decodeResponse, SeriesEncoder } from '../../src/storeapi/series-codec.ts';
import { StringCache } from '../../src/storeapi/string-cache.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { unfinishedIn } from '../../src/telemetry/queries/active-queries.ts';
import { parseMeta, serialiseMeta } from '../../src/tsdb/block/meta.ts';
import { Tombstones } from '../../src/tsdb/block/tombstones.ts';
import { openAnyBlock } from '../../src/tsdb/cold/any-block.ts';
import { freezeBlock } from '../../src/tsdb/cold/freeze.ts';
import {
  ChunksRecordWriter,
  decodeAliases,
  decodeBegin,
  decodeChunksRecord,
  decodeEnd,
  encodeAliases,
  encodeBegin,
  encodeEnd,
} from '../../src/tsdb/head/snapshot/snapshot-records.ts';
import {
  decodeExemplarsRecord,
  encodeExemplarsRecord,
} from '../../src/tsdb/wal/exemplars-record.ts';
import { decodeHistogramRecord, LoggedHistograms } from '../../src/tsdb/wal/histogram-record.ts';
import { readSegment } from '../../src/tsdb/wal/log-reader.ts';
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/tsdb/wal/metadata-record.ts';
import { decodeSamplesRecord, LoggedSamples } from '../../src/tsdb/wal/samples-record.ts';
import { decodeSeriesRecord } from '../../src/tsdb/wal/series-record.ts';
import {
  decodeTombstonesRecord,
  encodeTombstonesRecord,
} from '../../src/tsdb/wal/tombstones-record.ts';
import { linesOf, stored, T0 } from '../acceptance/querier.ts';
import { MemoryStorage } from '../fakes/memory-storage.ts';
import { histogram, type WrittenCase, writtenCases } from '../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { writeTestBlock } from '../fakes/test-blocks.ts';
import { openTestDb } from '../fakes/test-db.ts';
import { encodeWriteRequest } from '../fakes/write-request.ts';
import { writeBodyV2 } from '../fakes/write-request-v2.ts';
import { knowledgeSeeds } from './knowledge-seeds.ts';
import { sealIndex, sealSegment, sealTail } from './reseal.ts';

/** One parser. */
export interface Parser {
  readonly name: string;
  /** Source files whose reading of bytes this exercises. */
  readonly files: readonly string[];
  /** Well-formed bytes, at least one. */
  readonly seeds: () => Promise<readonly Uint8Array[]> | readonly Uint8Array[];
  readonly parse: (bytes: Uint8Array) => unknown;
  /** What it may throw besides an OutpostError. */
  readonly mayThrow?: 'RangeError';
  /** Makes the checksums right again, so that damage gets past them. */
  readonly reseal?: (bytes: Uint8Array) => void;
  /** Inputs of each kind; those that need files are slower. */
  readonly runs: number;
}

const NUMBERS = 'src/encoding/read-buffer.ts';
const PROTO = 'src/encoding/proto.ts';
const BITS = ['src/encoding/bit-reader.ts', 'src/encoding/bit-varint.ts', 'src/encoding/varbit.ts'];
const HISTOGRAM_CHUNKS = ['bodies', 'chunk-header', 'chunk-reader', 'decode', 'layout'].map(
  name => `src/storage/histogram-chunk/${name}.ts`,
);
const LABELS = Labels.fromObject({ __name__: 'up', job: 'ü' });
const SERIES = [
  stored({ __name__: 'up', job: 'api' }, [1, 2, 3, 4]),
  stored({ __name__: 'up', job: 'db' }, [0.5, 0.25]),
];

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const casesOf = (...kinds: readonly WrittenCase['kind'][]): Uint8Array[] =>
  writtenCases(...kinds).flatMap(({ bytes }) => bytes.map(hex));
const chunkOf = (encoding: number) => (data: Uint8Array) =>
  decodeChunk({ minTime: 0, maxTime: 0, encoding, data }, -Infinity, Infinity, new SampleColumns());

function columns(): SampleColumns {
  const out = new SampleColumns();
  for (let i = 0; i < 30; i++) out.push(T0 + i * 15_000, i / 3);
  return out;
}

async function receive(body: Uint8Array, contentType: string): Promise<void> {
  const { status, message } = await receiver.receive(body, {
    contentType,
    contentEncoding: 'snappy',
  });
  if (![200, 204, 400].includes(status)) throw new Error(`status ${status}: ${message}`);
}

const receiver = new RemoteWriteReceiver({
  appendable: new MemoryStorage(),
  clock: new ManualClock(0),
  registry: new Registry(),
  seed: 1,
});
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
const slicer = new Slicer(() => 0);
const scratch = (): string => temporaryDirectory();

/** Everything a block with one replaced file answers. */
function blockReader(file: string, cold: boolean): Pick<Parser, 'seeds' | 'parse'> {
  let dir = '';
  return {
    async seeds() {
      dir = await writeTestBlock(scratch(), SERIES);
      if (cold) {
        const block = await openAnyBlock(dir);
        const parent = scratch();
        const meta = await freezeBlock(block, parent);
        await block.close();
        dir = join(parent, meta!.ulid);
      }
      return [readFileSync(join(dir, file))];
    },
    async parse(bytes) {
      writeFileSync(join(dir, file), bytes);
      const block = await openAnyBlock(dir);
      const querier = block.querier(0, 2e12);
      try {
        await linesOf(await querier.select([new Matcher('!=', 'job', 'x')]));
        await querier.labelNames([]);
        await querier.labelValues('job', [new Matcher('=', '__name__', 'up')]);
      } finally {
        querier.close();
        await block.close();
      }
    },
  };
}

function logReader(): Pick<Parser, 'seeds' | 'parse'> {
  const path = join(scratch(), 'segment');
  return {
    async seeds() {
      const dir = scratch();
      const db = await openTestDb(dir, { clock: new ManualClock(T0) });
      const appender = db.appender();
      const ref = appender.series(LABELS);
      for (let i = 0; i < 20; i++) appender.append(ref, T0 + i, i);
      appender.appendHistogram(ref, T0 + 30, histogram({ count: 1 }));
      await appender.commit();
      await db.close();
      return [readFileSync(join(dir, 'wal', '00000000'))];
    },
    async parse(bytes) {
      writeFileSync(path, bytes);
      await readSegment(path, record => void record[0], slicer);
    },
  };
}

/** The parsers there are. */
export const PARSERS: readonly Parser[] = [
  {
    name: 'XOR chunks',
    files: ['src/kernels/xor.ts', 'src/storage/chunks.ts'],
    seeds: () => encodeColumns(columns()).map(({ data }) => data),
    parse: chunkOf(1),
    runs: 2000,
  },
  {
    name: 'histogram chunks',
    files: [...HISTOGRAM_CHUNKS, ...BITS, 'src/encoding/xor-lanes.ts'],
    seeds: () => casesOf('int'),
    parse: chunkOf(2),
    runs: 2000,
  },
  {
    name: 'float histogram chunks',
    files: HISTOGRAM_CHUNKS,
    seeds: () => casesOf('float'),
    parse: chunkOf(3),
    runs: 2000,
  },
  {
    name: 'histogram chunks with start times',
    files: ['src/storage/start-times.ts'],
    seeds: () => casesOf('intST'),
    parse: chunkOf(5),
    runs: 1000,
  },
  {
    name: 'float histogram chunks with start times',
    files: ['src/storage/start-times.ts'],
    seeds: () => casesOf('floatST'),
    parse: chunkOf(6),
    runs: 1000,
  },
  {
    name: 'XOR2 chunks',
    files: ['src/storage/xor2-chunk.ts'],
    seeds: () => casesOf('xor2'),
    parse: data => decodeXor2(data, -Infinity, Infinity, new SampleColumns()),
    runs: 2000,
  },
  {
    name: 'Thanos aggregate chunks',
    files: ['src/downsample/aggregate-chunk.ts', 'src/downsample/aggregate-readers.ts'],
    seeds: () => [encodeAggregates({ count: columns(), sum: columns(), counter: columns() })],
    parse: data => AGGREGATES.map(name => decodeAggregate(data, name, new SampleColumns())),
    runs: 2000,
  },
  {
    name: 'snappy blocks',
    files: ['src/encoding/snappy.ts'],
    seeds: () => [snappyEncode(Buffer.from('a fairly long text, a fairly long text again'))],
    parse: bytes => snappyDecode(bytes, 1 << 20),
    runs: 3000,
  },
  {
    name: 'zstd frames',
    files: ['src/encoding/zstd.ts'],
    seeds: () => [zstdEncode(Buffer.from('a fairly long text, a fairly long text again'), 3)],
    parse: bytes => zstdDecode(bytes, 1 << 20),
    runs: 1000,
  },
  {
    name: 'numbers of files',
    files: [NUMBERS],
    seeds: () => {
      const buffer = new WriteBuffer();
      buffer.uvarint(300);
      buffer.varint(-5);
      buffer.string('text');
      return [buffer.copy()];
    },
    parse: bytes => {
      const buffer = new ReadBuffer(bytes);
      return [buffer.uvarint(), buffer.varint(), buffer.string(), buffer.u64(), buffer.i64()];
    },
    runs: 2000,
  },
  {
    name: 'protobuf fields',
    files: [PROTO],
    seeds: () => [encodeInfo({ componentType: 'x', labelSets: [LABELS], store: null, apis: [] })],
    parse: bytes => {
      const reader = new ProtoReader(bytes);
      while (reader.next()) reader.skip();
    },
    mayThrow: 'RangeError',
    runs: 2000,
  },
  {
    name: 'log segments',
    files: ['src/tsdb/wal/log-reader.ts', 'src/tsdb/wal/record-scanner.ts'],
    ...logReader(),
    runs: 300,
  },
  {
    name: 'log: series',
    files: ['src/tsdb/wal/series-record.ts'],
    seeds: () => {
      const buffer = new WriteBuffer();
      buffer.u8(1);
      buffer.u64(7);
      buffer.uvarint(1);
      buffer.string('__name__');
      buffer.string('up');
      return [buffer.copy()];
    },
    parse: record => decodeSeriesRecord(record, () => {}),
    runs: 2000,
  },
  {
    name: 'log: samples',
    files: ['src/tsdb/wal/samples-record.ts'],
    seeds: () => {
      const buffer = new WriteBuffer();
      buffer.u8(2);
      buffer.u64(1);
      buffer.u64(T0);
      for (let i = 0; i < 5; i++) {
        buffer.varint(i);
        buffer.varint(i);
        buffer.f64(i);
      }
      return [buffer.copy()];
    },
    parse: record => decodeSamplesRecord(record, new LoggedSamples()),
    runs: 2000,
  },
  {
    name: 'log: histograms',
    files: ['src/tsdb/wal/histogram-record.ts', 'src/tsdb/wal/histogram-body.ts'],
    seeds: () => casesOf('walInt', 'walFloat'),
    parse: record => decodeHistogramRecord(record, new LoggedHistograms()),
    runs: 2000,
  },
  {
    name: 'log: exemplars',
    files: ['src/tsdb/wal/exemplars-record.ts'],
    seeds: () => [
      encodeExemplarsRecord([{ ref: 1, exemplar: { labels: LABELS, value: 1, time: T0 } }]).slice(),
    ],
    parse: record => decodeExemplarsRecord(record, () => {}),
    runs: 2000,
  },
  {
    name: 'log: metadata',
    files: ['src/tsdb/wal/metadata-record.ts'],
    seeds: () => [
      encodeMetadataRecord([{ ref: 1, metadata: { type: 'gauge', help: 'h', unit: 'u' } }]).slice(),
    ],
    parse: record => decodeMetadataRecord(record, () => {}),
    runs: 2000,
  },
  {
    name: 'log: tombstones',
    files: ['src/tsdb/wal/tombstones-record.ts'],
    seeds: () => [encodeTombstonesRecord([{ ref: 1, minTime: -5, maxTime: T0 }]).slice()],
    parse: record => decodeTombstonesRecord(record, () => {}),
    runs: 2000,
  },
  {
    name: 'head snapshot: begin, end and aliases',
    files: ['src/tsdb/head/snapshot/snapshot-records.ts'],
    seeds: () => [
      encodeBegin({
        chunkRangeMs: 7_200_000,
        nextRef: 9,
        mark: { checkpoint: 1, end: 2, segments: 3, bytes: 4 },
      }).slice(),
      encodeEnd({ series: 3, samples: 4 }).slice(),
      encodeAliases([{ ref: 1, alias: 2, lastTime: T0 }]).slice(),
    ],
    parse: record => [
      attempt(() => decodeBegin(record)),
      attempt(() => decodeEnd(record)),
      attempt(() => decodeAliases(record, () => {})),
    ],
    runs: 1000,
  },
  {
    name: 'head snapshot: chunks',
    files: ['src/tsdb/head/snapshot/snapshot-records.ts'],
    seeds: () => {
      const writer = new ChunksRecordWriter();
      writer.add(1, encodeColumns(columns()));
      return [writer.bytes().slice()];
    },
    parse: record => decodeChunksRecord(record, () => {}),
    runs: 2000,
  },
  {
    name: 'tombstones of blocks',
    files: ['src/tsdb/block/tombstones.ts'],
    seeds: async () => {
      const dir = await writeTestBlock(scratch(), SERIES);
      const block = await openAnyBlock(dir);
      await block.delete(T0, T0 + 1, [new Matcher('=', 'job', 'db')]);
      await block.close();
      return [readFileSync(join(dir, 'tombstones'))];
    },
    parse: bytes => Tombstones.decode(bytes, 'tombstones'),
    reseal: bytes => sealTail(bytes, 5),
    runs: 2000,
  },
  {
    name: 'meta.json',
    files: ['src/tsdb/block/meta.ts'],
    seeds: async () => {
      const dir = await writeTestBlock(scratch(), SERIES);
      return [readFileSync(join(dir, 'meta.json'))];
    },
    parse: bytes => serialiseMeta(parseMeta(Buffer.from(bytes).toString(), 'meta.json')),
    runs: 2000,
  },
  {
    name: 'index of blocks',
    files: ['format', 'index-reader', 'postings-table', 'section', 'series-entries', 'symbols']
      .map(name => `src/tsdb/index/${name}.ts`)
      .concat('src/tsdb/frames.ts'),
    ...blockReader('index', false),
    reseal: sealIndex,
    runs: 300,
  },
  {
    name: 'chunk segments of blocks',
    files: ['src/tsdb/chunks/segment-reader.ts', 'src/tsdb/block/chunk-store.ts'],
    ...blockReader('chunks/000001', false),
    reseal: sealSegment,
    runs: 300,
  },
  {
    name: 'index of cold blocks',
    files: ['src/tsdb/cold/page-file.ts', 'src/tsdb/cold/page-source.ts'],
    ...blockReader('index.pages', true),
    runs: 200,
  },
  {
    name: 'columns of cold blocks',
    files: ['src/tsdb/cold/cold-chunk.ts', 'src/tsdb/cold/cold-chunks.ts', 'src/kernels/cold.ts'],
    ...blockReader('chunks.pages/000001', true),
    runs: 200,
  },
  {
    name: 'remote write 1.0',
    files: [
      'exemplar-message',
      'histogram-message',
      'label-region',
      'series-extras',
      'write-metadata',
    ]
      .map(name => `src/remote/${name}.ts`)
      .concat('src/kernels/write-intake.ts'),
    seeds: () => [
      encodeWriteRequest(
        [{ labels: [['__name__', 'up']], samples: [[T0, 1]], exemplars: 1, histograms: 1 }],
        [{ type: 1, name: 'x', help: 'h', unit: 'u' }],
      ),
    ],
    parse: bytes => receive(snappyEncode(bytes), 'application/x-protobuf'),
    runs: 1000,
  },
  {
    name: 'remote write 2.0',
    files: ['src/remote/request-v2.ts', 'src/remote/series-v2.ts', 'src/remote/symbols.ts'],
    seeds: () => [
      snappyDecode(
        writeBodyV2([
          {
            labels: { __name__: 'up' },
            samples: [[T0, 1]],
            histograms: [[T0 + 1, histogram({ count: 1 })]],
            exemplars: [[T0, 1, { trace: 'x' }]],
            metadata: { type: 1, help: 'h', unit: 'u' },
          },
        ]),
        1 << 20,
      ),
    ],
    parse: bytes => receive(snappyEncode(bytes), V2),
    runs: 1000,
  },
  {
    name: 'remote read: requests',
    files: ['src/remote/read-request.ts'],
    seeds: () => [
      snappyDecode(
        encodeReadRequest({ minTime: 0, maxTime: T0, matchers: [new Matcher('=~', 'a', 'b|c')] }),
        1 << 20,
      ),
    ],
    parse: bytes => decodeReadRequest(snappyEncode(bytes)),
    runs: 2000,
  },
  {
    name: 'remote read: answers',
    files: ['src/remote/read-response.ts'],
    seeds: () => [
      hex('0a210a0c0a08'),
      hex('0a1d0a1b0a0a0a016112056269673121120d090000000000000840100a'),
    ],
    parse: async bytes => {
      attempt(() => decodeChunkedSeries(bytes));
      attempt(() => decodeSampledSeries(bytes));
      try {
        for await (const frame of readResponseFrames(piecesOf(bytes))) void frame.length;
      } catch (error) {
        if (!(error instanceof OutpostError)) throw error;
      }
    },
    runs: 2000,
  },
  {
    name: 'StoreAPI: frames',
    files: ['src/storeapi/series-codec.ts'],
    seeds: () => [
      new SeriesEncoder().series(LABELS, [
        { minTime: 1, maxTime: 2 ** 41, encoding: 1, data: new Uint8Array(40).fill(7) },
      ]),
    ],
    parse: bytes => decodeResponse(bytes, new StringCache()),
    runs: 2000,
  },
  {
    name: 'StoreAPI: requests',
    files: ['src/storeapi/requests.ts'],
    seeds: () => {
      const common = {
        minTime: 0,
        maxTime: T0,
        matchers: [new Matcher('=', 'a', 'b')],
        partialResponse: true,
        withoutReplicaLabels: ['r'],
        limit: 5,
      };
      return [
        encodeSeriesRequest({ ...common, skipChunks: false, batchSize: 3, shard: null, hints: {} }),
        encodeLabelNamesRequest(common),
        encodeLabelValuesRequest({ ...common, label: 'job' }),
      ];
    },
    parse: bytes => [
      attempt(() => decodeSeriesRequest(bytes)),
      attempt(() => decodeLabelNamesRequest(bytes)),
      attempt(() => decodeLabelValuesRequest(bytes)),
    ],
    runs: 2000,
  },
  {
    name: 'StoreAPI: announcements',
    files: ['src/storeapi/info.ts'],
    seeds: () => [
      encodeInfo({
        componentType: 'sidecar',
        labelSets: [LABELS],
        store: {
          minTime: 0,
          maxTime: T0,
          supportsSharding: true,
          supportsWithoutReplicaLabels: true,
          streams: [{ labels: LABELS, minTime: 0, maxTime: 1 }],
        },
        apis: ['rules'],
      }),
    ],
    parse: bytes => decodeInfo(bytes),
    runs: 2000,
  },
  {
    name: 'StoreAPI: what is known beside series',
    files: ['src/storeapi/knowledge.ts'],
    seeds: knowledgeSeeds,
    parse: bytes => [
      attempt(() => decodeMetadataRequest(bytes)),
      attempt(() => decodeExemplarsRequest(bytes)),
      attempt(() => decodeTargetsRequest(bytes)),
      attempt(() => readMetadata([bytes])),
      attempt(() => readExemplars([bytes])),
      attempt(() => readTargets([bytes])),
    ],
    runs: 2000,
  },
  {
    name: 'exposition in protobuf',
    files: [
      'src/exposition/scan/protobuf-scanner.ts',
      'src/exposition/scan/metric-message.ts',
      'src/exposition/scan/native-histogram.ts',
    ],
    seeds: () => [exposedInProtobuf()],
    parse: bytes => attempt(() => scanProtobuf(bytes)),
    runs: 2000,
  },
  {
    name: 'batches of plugins',
    files: ['plugins/host/sample-batch-reader.ts'],
    seeds: () => {
      const table = new MetricTable();
      const family = table.metricsOf('c').gauge({ name: 'x', help: 'h', labels: ['l'] });
      table.begin();
      family.with('v').set(1);
      return [new SampleBatchWriter().encode(table, 0, [{ collector: 'c', message: 'm' }]).slice()];
    },
    parse: bytes => new SampleBatch().decode(bytes),
    mayThrow: 'RangeError',
    runs: 2000,
  },
  {
    name: 'journal of running queries',
    files: ['src/telemetry/queries/active-queries.ts'],
    seeds: () => [Buffer.from(`[{"query":"up","timestamp_sec":1},${'\0'.repeat(900)}`)],
    parse: bytes => unfinishedIn(bytes),
    runs: 1000,
  },
];

/** What the work answers or, where that is an OutpostError, throws. */
function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof OutpostError) return error;
    throw error;
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

/** A counter and a native histogram, as /metrics writes them. */
function exposedInProtobuf(): Uint8Array {
  const positiveSpans = [{ offset: 0, length: 2 }];
  const positiveBuckets = Float64Array.of(2, 1);
  const exposed = histogram({ count: 3, sum: 4.5, positiveSpans, positiveBuckets });
  const labels = Labels.fromObject({ a: 'b' });
  const counter = { name: 'c_total', type: 'counter', help: 'h', unit: '' } as const;
  const native = { name: 'n', type: 'histogram', help: 'h', unit: '' } as const;
  return protobufFamilies(
    [
      { ...counter, samples: [{ suffix: '', labels, value: 7 }] },
      { ...native, samples: [{ suffix: '', labels, value: 0, histogram: exposed }] },
    ],
    'allow-utf-8',
  );
}

function scanProtobuf(bytes: Uint8Array): number {
  const scanner = new ProtobufScanner(bytes, { native: true, classicToo: true });
  let found = 0;
  for (let kind = scanner.next(); kind !== 'end'; kind = scanner.next()) {
    found++;
    if (kind === 'sample' || kind === 'histogram') scanner.labels();
    if (kind === 'histogram') scanner.histogram();
    if (scanner.hasExemplars) scanner.exemplars();
  }
  return found;
}
