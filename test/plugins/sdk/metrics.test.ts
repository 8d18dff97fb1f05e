// Metric handles, and what of them travels.

import { describe, expect, it } from 'vitest';
import { SampleBatch } from '../../../plugins/host/sample-batch-reader.ts';
import { MetricTable } from '../../../plugins/sdk/metrics.ts';
import { SampleBatchWriter } from '../../../plugins/sdk/sample-batch.ts';

function collect(table: MetricTable, writer: SampleBatchWriter, knownSeq: number): SampleBatch {
  const batch = new SampleBatch();
  batch.decode(writer.encode(table, knownSeq, []));
  return batch;
}

const samples = (batch: SampleBatch): [number, number][] =>
  [...batch.ids.subarray(0, batch.idCount)].map((id, i) => [id, batch.values[i]!]);

describe('a metric table', () => {
  it('sends definitions until the peer says it has them, and only what was set', () => {
    const table = new MetricTable();
    const writer = new SampleBatchWriter();
    const family = table
      .metricsOf('demo')
      .counter({ name: 'x_total', help: 'X.', unit: 'apples', labels: ['b', 'a'] });
    table.begin();
    family.with('1', '2').set(10);
    family.with('1', '').set(20);
    const first = collect(table, writer, 0);
    expect(first.families).toEqual([
      { name: 'x_total', type: 'counter', help: 'X.', unit: 'apples', collector: 'demo' },
    ]);
    expect(first.series).toEqual([
      { id: 0, family: 'x_total', pairs: ['a', '2', 'b', '1'], suffix: '' },
      { id: 1, family: 'x_total', pairs: ['b', '1'], suffix: '' },
    ]);
    expect(samples(first)).toEqual([
      [0, 10],
      [1, 20],
    ]);
    table.begin();
    family.with('1', '').set(21);
    const second = collect(table, writer, first.definitionSeq);
    expect(second.families).toEqual([]);
    expect(second.series).toEqual([]);
    expect(samples(second)).toEqual([[1, 21]]);
    table.begin();
    family.with('3', '4').set(30);
    expect(collect(table, writer, second.definitionSeq).series.map(({ id }) => id)).toEqual([2]);
    expect(collect(table, writer, 0).series.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(collect(table, writer, 1e9).series.map(({ id }) => id)).toEqual([0, 1, 2]);
  });

  it('has histograms and summaries whose series carry a suffix', () => {
    const table = new MetricTable();
    const metrics = table.metricsOf('demo');
    const latency = metrics.histogram({ name: 'h', help: 'H.', labels: ['disk'] });
    const size = metrics.summary({ name: 's', help: 'S.' });
    table.begin();
    latency.bucket(0.1, 'sda').set(1);
    latency.bucket(Infinity, 'sda').set(3);
    latency.sum('sda').set(2.5);
    latency.count('sda').set(3);
    size.quantile(0.5).set(7);
    size.count().set(9);
    const batch = collect(table, new SampleBatchWriter(), 0);
    expect(batch.families.map(({ name, type }) => [name, type])).toEqual([
      ['h', 'histogram'],
      ['s', 'summary'],
    ]);
    expect(batch.series).toEqual([
      { id: 0, family: 'h', pairs: ['disk', 'sda', 'le', '0.1'], suffix: '_bucket' },
      { id: 1, family: 'h', pairs: ['disk', 'sda', 'le', '+Inf'], suffix: '_bucket' },
      { id: 2, family: 'h', pairs: ['disk', 'sda'], suffix: '_sum' },
      { id: 3, family: 'h', pairs: ['disk', 'sda'], suffix: '_count' },
      { id: 4, family: 's', pairs: ['quantile', '0.5'], suffix: '' },
      { id: 5, family: 's', pairs: [], suffix: '_count' },
    ]);
  });

  it('describes a family once, and tells apart the series of two scopes and their labels', () => {
    const table = new MetricTable();
    const options = { name: 'x', help: 'X.', labels: ['a'] } as const;
    const one = table.metricsOf('demo', { name: 'demo/one', labels: { site: 'n' } }).gauge(options);
    const two = table.metricsOf('demo', { name: 'demo/two', labels: { a: 'no' } }).gauge(options);
    table.begin();
    one.with('1').set(1);
    two.with('1').set(2);
    const batch = collect(table, new SampleBatchWriter(), 0);
    expect(batch.families).toHaveLength(1);
    expect(batch.series.map(({ pairs }) => pairs)).toEqual([
      ['a', '1', 'site', 'n'],
      ['a', '1'],
    ]);
  });

  it('relays samples of any labels, and no metric of another collector or another type', () => {
    const table = new MetricTable();
    const relay = table.metricsOf('relay');
    const own = relay.relayed({ name: 'x', type: 'counter', help: '' })!;
    const series = own.series('', [
      ['b', '1'],
      ['a', '2'],
    ]);
    expect(own.series('', [...series.labels])).toBe(series);
    expect(own.series('_sum', [])).not.toBe(own.series('', []));
    expect([...series.labels]).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
    expect(relay.relayed({ name: 'x', type: 'gauge', help: '' })).toBe(null);
    table.metricsOf('other').gauge({ name: 'y', help: '' });
    expect(relay.relayed({ name: 'y', type: 'gauge', help: '' })).toBe(null);
  });

  it('gives the same family and the same series each time it is asked', () => {
    const metrics = new MetricTable().metricsOf('demo');
    const options = { name: 'x', help: 'X.', labels: ['a'] } as const;
    expect(metrics.gauge(options)).toBe(metrics.gauge(options));
    expect(metrics.gauge(options).with('1')).toBe(metrics.gauge(options).with('1'));
    expect(() => metrics.counter(options)).toThrow('metric x is made twice');
    expect(() => metrics.gauge({ ...options, labels: ['b'] })).toThrow('metric x is made twice');
  });

  it('gives the slot of a series that ended long ago to another, and takes the first back', () => {
    const table = new MetricTable();
    const writer = new SampleBatchWriter();
    const family = table.metricsOf('demo').gauge({ name: 'x', help: 'X.', labels: ['a'] });
    const old = family.with('old');
    table.begin();
    old.set(1);
    let seq = collect(table, writer, 0).definitionSeq;
    for (let i = 0; i < 310; i++) {
      table.begin();
      seq = collect(table, writer, seq).definitionSeq;
    }
    table.begin();
    family.with('new').set(2);
    const reused = collect(table, writer, seq);
    expect(reused.series).toEqual([{ id: 0, family: 'x', pairs: ['a', 'new'], suffix: '' }]);
    expect(samples(reused)).toEqual([[0, 2]]);
    table.begin();
    old.set(3);
    family.with('new').set(4);
    const back = collect(table, writer, reused.definitionSeq);
    expect(back.series).toEqual([{ id: 1, family: 'x', pairs: ['a', 'old'], suffix: '' }]);
    expect(samples(back)).toEqual([
      [0, 4],
      [1, 3],
    ]);
    expect(family.with('old')).toBe(old);
  });

  it('lets a handle kept for long and a new one for the same labels be one series', () => {
    const table = new MetricTable();
    const writer = new SampleBatchWriter();
    const family = table.metricsOf('demo').gauge({ name: 'x', help: 'X.', labels: ['a'] });
    const kept = family.with('1');
    table.begin();
    kept.set(1);
    for (let i = 0; i < 310; i++) {
      collect(table, writer, 0);
      table.begin();
    }
    family.with('1').set(2);
    kept.set(3);
    expect(samples(collect(table, writer, 0))).toEqual([[0, 3]]);
  });

  it('keeps no series beyond its limit and counts what was set to them', () => {
    const table = new MetricTable(2);
    const family = table.metricsOf('demo').gauge({ name: 'x', help: 'X.', labels: ['a'] });
    table.begin();
    for (const value of ['1', '2', '3', '4']) family.with(value).set(1);
    expect(samples(collect(table, new SampleBatchWriter(), 0))).toHaveLength(2);
    expect(table.refused).toBe(2);
  });

  it('carries thousands of series and every kind of value', () => {
    const table = new MetricTable();
    const family = table.metricsOf('demo').gauge({ name: 'x', help: 'X.', labels: ['a'] });
    const values = [0, -0, 1.5, -1e300, Infinity, -Infinity, 5e-324];
    table.begin();
    for (let i = 0; i < 5000; i++) family.with(String(i)).set(values[i % values.length]!);
    const batch = collect(table, new SampleBatchWriter(), 0);
    expect(batch.idCount).toBe(5000);
    expect(batch.valueCount).toBe(5000);
    for (let i = 0; i < 5000; i++) {
      expect(batch.ids[i]).toBe(i);
      expect(batch.values[i]).toBe(values[i % values.length]);
    }
  });
});
