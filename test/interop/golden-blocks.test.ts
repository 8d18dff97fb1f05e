// Blocks that Prometheus, Mimir and Thanos wrote, read by ours and held against the answers published
// with them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { decodeChunk } from '../../src/storage/chunks.ts';
import { SampleColumns } from '../../src/storage/samples.ts';
import { ChunkEncoding, type Series } from '../../src/storage/series.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { corpusFolder } from '../fakes/corpora.ts';

const folder = corpusFolder('tsdb-golden-blocks');
const missing = folder ? '' : ' (skipped: the golden blocks are not on this machine)';
const THANOS = 'victoriametrics-apptest/thanos-snapshot';

async function withBlock<T>(path: string, use: (block: Block) => Promise<T>): Promise<T> {
  const block = await Block.open(join(folder!, path));
  // Closing waits for queriers, which a failed expectation leaves open; so only after success.
  const result = await use(block);
  await block.close();
  return result;
}

/** What the visitor makes of each selected series, in order. */
async function select<T>(
  block: Block,
  matchers: readonly Matcher[],
  visit: (series: Series) => T,
): Promise<T[]> {
  const querier = block.querier(0, 2e12);
  const out: T[] = [];
  try {
    const set = await querier.select(matchers);
    for (let batch = await set.next(); batch; batch = await set.next()) {
      out.push(...batch.map(visit));
    }
  } finally {
    querier.close();
  }
  return out;
}

function samplesOf(series: Series): string {
  const columns = new SampleColumns();
  series.samples(columns);
  return `${series.labels} ${pairs(columns)}`;
}

function pairs(columns: SampleColumns): string {
  const out: string[] = [];
  for (let i = 0; i < columns.length; i++) out.push(`${columns.times[i]}=${columns.values[i]}`);
  return out.join(' ');
}

interface Expected {
  readonly metric: Record<string, string>;
  readonly values: readonly (readonly [number, string])[];
}

function expectedOf(path: string): Expected[] {
  const text = readFileSync(join(folder!, path), 'utf8');
  return JSON.parse(text).data.result as Expected[];
}

function expectedLine({ metric, values }: Expected): string {
  const samples = values.map(([time, value]) => `${Math.round(time * 1000)}=${Number(value)}`);
  return `${Labels.fromObject(metric)} ${samples.join(' ')}`;
}

function shortened(line: string): string {
  return line.replace(/=(\d+\.\d+)/g, (_, value) => `=${Number(value).toFixed(11)}`);
}

describe.skipIf(!folder)(`golden blocks${missing}`, () => {
  it('reads a block with an index of format 1', async () => {
    await withBlock('prometheus-index-v1', async block => {
      const lines = await select(block, [], samplesOf);
      const bars = Array.from({ length: 100 }, (_, i) => `{bar="${i}"} 0=0`);
      expect(lines.sort()).toEqual([...bars, '{foo="bar"} 1=2', '{foo="baz"} 3=4'].sort());
      const foo = await select(block, [new Matcher('=~', 'foo', 'ba.')], samplesOf);
      expect(foo).toEqual(['{foo="bar"} 1=2', '{foo="baz"} 3=4']);
      const querier = block.querier(0, 1);
      expect((await querier.labelNames([])).values).toEqual(['bar', 'foo']);
      expect((await querier.labelValues('bar', [])).values).toHaveLength(100);
      querier.close();
    });
  });

  it('reads a block whose meta and index disagree about their versions', async () => {
    await withBlock('prometheus-repair-index-version/01BZJ9WJQPWHGNC2W4J9TA62KC', async block => {
      const querier = block.querier(0, 2e12);
      const b = new Matcher('=', 'b', '1');
      expect((await querier.labelNames([b])).values).toEqual(['a', 'b']);
      expect((await querier.labelValues('b', [])).values).toEqual(['1']);
      querier.close();
    });
  });

  it('reads a Prometheus snapshot', async () => {
    const base = 'victoriametrics-apptest/prometheus';
    const path = `${base}/snapshots/20250602T205846Z-7e03e43cf46dda03/01JWS713P2E4MQW7T643GYGD69`;
    await withBlock(path, async block => {
      const location = 'VictoriaMetrics/lib/ingestserver/opentsdb/server.go:(48|59)';
      const matchers = [
        new Matcher('=', '__name__', 'vm_log_messages_total'),
        new Matcher('=~', 'location', location),
      ];
      const lines = await select(block, matchers, samplesOf);
      expect(lines).toEqual(expectedOf(`${base}/expected_response.json`).map(expectedLine));
      expect(await select(block, [], samplesOf)).toHaveLength(block.meta.stats.numSeries);
    });
  });

  it('reads a Mimir block', async () => {
    const base = 'victoriametrics-apptest/mimir-tsdb';
    await withBlock(`${base}/anonymous/01JFJBS3YP1SHZ3PJQ6HK76EC3`, async block => {
      const lines = await select(block, [], samplesOf);
      const expected = expectedOf(`${base}/expected_response.json`).map(expectedLine);
      // The server that published the answer keeps 13 digits of a value.
      expect(lines.map(shortened).sort()).toEqual(expected.map(shortened).sort());
      expect(block.meta.compaction.hints).toEqual(['from-out-of-order']);
    });
  });

  it('reads a raw Thanos block', async () => {
    await withBlock(`${THANOS}/01KKS78P6B68DNJC87ZVPRGC3X`, async block => {
      const expected = expectedOf(`${THANOS}/expected_all_aggr_response.json`)
        .filter(({ metric }) => !metric.__name__!.includes(':'))
        .map(expectedLine);
      expect(await select(block, [], samplesOf)).toEqual(expected);
      expect(await select(block, [], series => series.chunks()!.length)).toEqual([2, 2, 2, 2]);
    });
  });

  it.each([
    ['5m', '01KKS78PKKR6BQ0SQ5BARRTAKC'],
    ['1h', '01KKS78PXE91TK8YX406DERWV2'],
  ])('hands over the chunks of a Thanos block downsampled to %s', async (resolution, ulid) => {
    await withBlock(`${THANOS}/${ulid}`, async block => {
      const lines = (await select(block, [], series => aggregatesOf(series, resolution))).flat();
      const expected = expectedOf(`${THANOS}/expected_all_aggr_response.json`)
        .filter(({ metric }) => metric.__name__!.includes(`:${resolution}:`))
        .map(expectedLine);
      expect(lines.sort()).toEqual(expected.sort());
      const read = select(block, [], samplesOf);
      await expect(read).rejects.toMatchObject({ code: 'execution' });
    });
  });
});

/** Takes an aggregate chunk apart: five slots, each a length, an encoding and an XOR chunk. */
function aggregatesOf(series: Series, resolution: string): string[] {
  const [chunk] = series.chunks()!;
  expect(chunk!.encoding).toBe(ChunkEncoding.aggregate);
  let at = 0;
  return ['count', 'sum', 'min', 'max', 'counter'].map(aggregate => {
    const { data } = chunk!;
    let length = data[at++]!;
    if (length >= 0x80) length = (length & 0x7f) + data[at++]! * 128;
    expect(data[at++]).toBe(ChunkEncoding.xor);
    const slot = { ...chunk!, encoding: ChunkEncoding.xor, data: data.subarray(at, at + length) };
    at += length;
    const columns = new SampleColumns();
    decodeChunk(slot, 0, 2e12, columns);
    // The counter's extra last sample repeats the last time and holds the raw value.
    const last = columns.length - 1;
    if (columns.times[last] === columns.times[last - 1]) columns.length = last;
    const name = `${series.label('__name__')}:${resolution}:${aggregate}`;
    return `${series.labels.with('__name__', name)} ${pairs(columns)}`;
  });
}
