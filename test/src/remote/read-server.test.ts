import { beforeEach, describe, expect, test } from 'vitest';
import { ProtoWriter } from '../../../src/encoding/proto.ts';
import { snappyDecode, snappyEncode } from '../../../src/encoding/snappy.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { encodeReadRequest, type ReadQuery } from '../../../src/remote/read-request.ts';
import {
  decodeChunkedSeries,
  decodeSampledSeries,
  readResponseFrames,
} from '../../../src/remote/read-response.ts';
import { type ReadAnswer, RemoteReadServer } from '../../../src/remote/read-server.ts';
import { decodeChunk } from '../../../src/storage/chunks.ts';
import { encodeColumns } from '../../../src/storage/encode-columns.ts';
import type { Queryable } from '../../../src/storage/queryable.ts';
import { SampleColumns } from '../../../src/storage/samples.ts';
import type { Chunk } from '../../../src/storage/series.ts';
import { listSeriesSet } from '../../../src/storage/series-list.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';

const T = 1_700_000_000_000;
const ALL: ReadQuery = {
  minTime: 0,
  maxTime: 2 ** 63,
  matchers: [new Matcher('=', '__name__', 'up')],
};

let storage: MemoryStorage;
let server: RemoteReadServer;
const external = Labels.fromObject({ host: 'h1', job: 'outer' });

function newServer(limits = {}): RemoteReadServer {
  const registry = new Registry();
  return new RemoteReadServer({
    limits,
    externalLabels: () => external,
    monotonic: () => 0,
    registry,
  });
}

beforeEach(async () => {
  storage = new MemoryStorage();
  server = newServer();
  const appender = storage.appender();
  const a = appender.series(Labels.fromObject({ __name__: 'up', job: 'a' }));
  const b = appender.series(Labels.fromObject({ __name__: 'up', zone: 'z' }));
  for (let i = 0; i < 300; i++) appender.append(a, T + i * 1000, i / 8);
  appender.appendStale(a, T + 300_000);
  appender.append(b, T, -1);
  await appender.commit();
});

/** A request for samples, by hand: the client of ours would rather have chunks. */
function samplesRequest(...queries: readonly (readonly Matcher[])[]): Uint8Array {
  const writer = new ProtoWriter();
  for (const matchers of queries) {
    writer.messageField(1, () => {
      writer.int64Field(1, T);
      writer.int64Field(2, T + 1000);
      for (const { name, value } of matchers) {
        writer.messageField(3, () => {
          writer.stringField(2, name);
          writer.stringField(3, value);
        });
      }
    });
  }
  return snappyEncode(writer.finish());
}

function ask(body: Uint8Array, over: Queryable = storage): Promise<ReadAnswer> {
  return server.answer(over, body, new AbortController().signal);
}

async function frames(answer: ReadAnswer) {
  const out: { series: string; chunks: readonly Chunk[] }[] = [];
  for await (const frame of readResponseFrames(answer.body as AsyncIterable<Uint8Array>)) {
    for (const { labels, chunks } of decodeChunkedSeries(frame)) {
      out.push({
        series: String(labels),
        chunks: chunks.map(c => ({ ...c, data: c.data.slice() })),
      });
    }
  }
  return out;
}

describe('an answer in samples', () => {
  test('has the samples of the range, the series’ labels and the external ones it has not', async () => {
    const answer = await ask(samplesRequest(ALL.matchers));
    expect([answer.contentType, answer.headers]).toEqual([
      'application/x-protobuf',
      { 'content-encoding': 'snappy' },
    ]);
    const series = decodeSampledSeries(snappyDecode(answer.body as Uint8Array, 1e6));
    expect(
      series.map(({ labels, samples: { length, times, values } }) => [
        String(labels),
        [...times.subarray(0, length)],
        [...values.subarray(0, length)],
      ]),
    ).toEqual([
      ['up{host="h1", job="a"}', [T, T + 1000], [0, 0.125]],
      ['up{host="h1", job="outer", zone="z"}', [T], [-1]],
    ]);
  });

  test('is refused beyond the limit', async () => {
    server = newServer({ samplesMax: 2 });
    await expect(ask(samplesRequest(ALL.matchers))).rejects.toMatchObject({
      code: 'bad-data',
      message: 'exceeded sample limit (2)',
    });
  });

  test('has one result for each query, empty ones too', async () => {
    const none = [new Matcher('=', '__name__', 'none')];
    const answer = await ask(samplesRequest(none, ALL.matchers));
    const bytes = snappyDecode(answer.body as Uint8Array, 1e6);
    expect([...bytes.subarray(0, 3)]).toEqual([0x0a, 0, 0x0a]);
  });
});

describe('an answer in chunks', () => {
  test('keeps every bit, staleness markers too', async () => {
    const answer = await ask(encodeReadRequest(ALL));
    expect([answer.contentType, answer.headers]).toEqual([
      'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
      {},
    ]);
    const [first, second] = await frames(answer);
    expect(first!.series).toBe('up{host="h1", job="a"}');
    expect(first!.chunks.map(({ minTime, maxTime }) => [minTime - T, maxTime - T])).toEqual([
      [0, 119_000],
      [120_000, 239_000],
      [240_000, 300_000],
    ]);
    const columns = new SampleColumns();
    for (const chunk of first!.chunks) decodeChunk(chunk, 0, 2 ** 53, columns);
    expect([columns.length, columns.values[299], isStaleAt(columns.values, 300)]).toEqual([
      301,
      37.375,
      true,
    ]);
    expect(second!.series).toBe('up{host="h1", job="outer", zone="z"}');
  });

  test('carries stored chunks over untouched, beyond the range too', async () => {
    const columns = new SampleColumns();
    for (let i = 0; i < 10; i++) columns.push(T + i, i);
    const chunks = [...encodeColumns(columns), { ...encodeColumns(columns)[0]!, encoding: 4 }];
    const labels = Labels.fromObject({ __name__: 'up' });
    const series = { labels, label: () => '', chunks: () => chunks, samples: () => {} };
    const held: Queryable = {
      querier: () => ({
        select: async () => listSeriesSet([series]),
        labelNames: () => Promise.reject(new Error('not asked')),
        labelValues: () => Promise.reject(new Error('not asked')),
        close: () => {},
      }),
    };
    const query = { ...ALL, minTime: T + 3, maxTime: T + 4 };
    const [frame] = await frames(await ask(encodeReadRequest(query), held));
    expect(frame!.chunks).toEqual(chunks);
  });

  test('comes in frames of one series each, which end after the limit', async () => {
    server = newServer({ frameBytesMax: 1 });
    const found = await frames(await ask(encodeReadRequest(ALL)));
    expect(found.map(({ series, chunks }) => [series, chunks.length])).toEqual([
      ['up{host="h1", job="a"}', 1],
      ['up{host="h1", job="a"}', 1],
      ['up{host="h1", job="a"}', 1],
      ['up{host="h1", job="outer", zone="z"}', 1],
    ]);
  });

  test('fails where a part is missing', async () => {
    storage.warnings.push('endpoint x: gone');
    await expect(ask(encodeReadRequest(ALL))).rejects.toMatchObject({
      code: 'unavailable',
      message: 'remote read is not complete: endpoint x: gone',
    });
  });
});

test('an equality with an external label asks for series that do not have it', async () => {
  const series = async (name: string, value: string): Promise<string[]> => {
    const matchers = [...ALL.matchers, new Matcher('=', name, value)];
    const found = await frames(await ask(encodeReadRequest({ ...ALL, matchers })));
    return found.map(frame => frame.series);
  };
  expect(await series('host', 'h1')).toHaveLength(2);
  expect(await series('host', 'h2')).toEqual([]);
  expect(await series('job', 'outer')).toEqual(['up{host="h1", job="outer", zone="z"}']);
  expect(await series('job', 'a')).toEqual(['up{host="h1", job="a"}']);
});

test('what is no request is refused by what is wrong with it', async () => {
  const body = (fill: (writer: ProtoWriter) => void): Uint8Array => {
    const writer = new ProtoWriter();
    fill(writer);
    return snappyEncode(writer.finish());
  };
  await expect(ask(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'bad-data' });
  await expect(ask(body(w => w.varintField(2, 7)))).rejects.toThrow(
    'server does not support any of the requested response types: 7',
  );
  const matcher = (type: number, value: string) =>
    body(w =>
      w.messageField(1, () =>
        w.messageField(3, () => {
          w.varintField(1, type);
          w.stringField(3, value);
        }),
      ),
    );
  await expect(ask(matcher(4, ''))).rejects.toThrow('there is no matcher type 4');
  await expect(ask(matcher(2, '('))).rejects.toMatchObject({ code: 'bad-data' });
});

test('a read that is over gives its place to the next', async () => {
  server = newServer({ requestsMax: 1 });
  const first = await ask(encodeReadRequest(ALL));
  let isAnswered = false;
  const second = ask(samplesRequest(ALL.matchers)).then(() => (isAnswered = true));
  await new Promise(resolve => setImmediate(resolve));
  expect(isAnswered).toBe(false);
  // Nobody reads the stream to its end: it is left.
  await (first.body as AsyncIterableIterator<Uint8Array>).return!();
  await second;
  expect(isAnswered).toBe(true);
});
