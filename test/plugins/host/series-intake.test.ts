// Between a plugin and the sink: what passes, what is dropped, what is bounded.

import { describe, expect, it } from 'vitest';
import { SampleBatch } from '../../../plugins/host/sample-batch-reader.ts';
import { SeriesIntake } from '../../../plugins/host/series-intake.ts';
import { outpost } from '../../../proto/gen/outpost.plugin.v1.js';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';
import { RecordingSink } from '../../fakes/recording-sink.ts';

type Answer = outpost.plugin.v1.CollectResponse.$Properties;

const FAMILY = { name: 'x', type: 2, help: 'X.', collector: 'c' };

function decode(answer: Answer): SampleBatch {
  const batch = new SampleBatch();
  batch.decode(outpost.plugin.v1.CollectResponse.encode(answer).finish());
  return batch;
}

const series = (id: number, value: string) => ({
  id,
  family: 'x',
  labels: [{ name: 'a', value }],
});

function newIntake(seriesMax = 100) {
  const sink = new RecordingSink();
  const drops: [string, number][] = [];
  const intake = new SeriesIntake({
    plugin: 'p',
    sink,
    seriesMax,
    onDropped: (reason, count) => drops.push([reason, count]),
  });
  const take = (time: number, answer: Answer) => intake.take(decode(answer), time);
  const values = () => sink.collections.map(({ values }) => Object.fromEntries(values));
  return { intake, sink, drops, take, values };
}

describe('SeriesIntake', () => {
  it('passes samples on under numbers of its own', async () => {
    const { take, values, drops, sink } = newIntake();
    expect(
      await take(1, {
        families: [FAMILY],
        series: [series(7, '1'), series(3, '2')],
        ids: [3, 7],
        values: [2, 1],
      }),
    ).toBe(2);
    expect(await take(2, { ids: [7], values: [10] })).toBe(1);
    expect(values()).toEqual([{ 'x{a="2"}': 2, 'x{a="1"}': 1 }, { 'x{a="1"}': 10 }]);
    expect([...sink.sources[0]!.seriesById.keys()]).toEqual([0, 1]);
    expect(drops).toEqual([]);
  });

  it('takes a definition that is said again for what it is', async () => {
    const { take, values, drops, sink } = newIntake();
    const answer = { families: [FAMILY], series: [series(0, '1')], ids: [0], values: [1] };
    await take(1, answer);
    await take(2, answer);
    expect(values()).toEqual([{ 'x{a="1"}': 1 }, { 'x{a="1"}': 1 }]);
    expect(sink.sources[0]!.seriesById.size).toBe(1);
    expect(drops).toEqual([]);
  });

  it('gives a number to another series when the plugin does', async () => {
    const { take, values, intake } = newIntake();
    await take(1, { families: [FAMILY], series: [series(0, 'old')], ids: [0], values: [1] });
    await take(2, { ids: [], values: [] });
    await take(3, { series: [series(0, 'new')], ids: [0], values: [2] });
    expect(values()).toEqual([{ 'x{a="old"}': 1 }, {}, { 'x{a="new"}': 2 }]);
    expect(intake.seriesCount).toBe(1);
  });

  it('knows a series that ended and is back under another number', async () => {
    const { take, values, drops, sink } = newIntake();
    await take(1, { families: [FAMILY], series: [series(0, '1')], ids: [0], values: [1] });
    await take(2, { ids: [], values: [] });
    await take(3, { series: [series(5, '1')], ids: [5], values: [3] });
    expect(values()).toEqual([{ 'x{a="1"}': 1 }, {}, { 'x{a="1"}': 3 }]);
    expect(sink.sources[0]!.seriesById.size).toBe(1);
    expect(drops).toEqual([]);
  });

  it('takes live labels under one number only', async () => {
    const { take, values, drops } = newIntake();
    await take(1, { families: [FAMILY], series: [series(0, '1')], ids: [0], values: [1] });
    await take(2, { series: [series(1, '1')], ids: [0, 1], values: [2, 3] });
    expect(values()[1]).toEqual({ 'x{a="1"}': 2 });
    expect(drops).toEqual([['duplicate-series', 1]]);
  });

  it('closes the gaps of what it drops and keeps the bits of what it keeps', async () => {
    const sink = new RecordingSink();
    const kept: boolean[] = [];
    const intake = new SeriesIntake({
      plugin: 'p',
      sink: {
        source() {
          const source = sink.source();
          return {
            family: family => source.family(family),
            series: (id, family, labels) => source.series(id, family, labels),
            added: (time, columns, ended) => source.added(time, columns, ended),
            close: time => source.close(time),
            collected(time, ids, values, count) {
              kept.push(isStaleAt(values, 1));
              return source.collected(time, ids, values, count);
            },
          };
        },
      },
      seriesMax: 100,
      onDropped: () => {},
    });
    const batch = decode({
      families: [FAMILY],
      series: [series(0, '0'), series(2, '2')],
      ids: [0, 1, 2],
      values: [1, 2, 3],
    });
    setStale(batch.values, 2);
    expect(await intake.take(batch, 1)).toBe(2);
    expect(kept).toEqual([true]);
  });

  it('announces itself anew when a plugin keeps making series, so that nothing grows', async () => {
    const { take, sink, intake, values } = newIntake(10);
    await take(0, { families: [FAMILY], series: [series(0, 'stays')], ids: [0], values: [0] });
    for (let i = 1; i <= 3000; i++) {
      await take(i, { series: [series(1, `pod-${i}`)], ids: [0, 1], values: [i, i] });
    }
    expect(intake.seriesCount).toBe(2);
    expect(sink.sources).toHaveLength(3);
    expect(sink.sources.every(source => source.seriesById.size < 1100)).toBe(true);
    expect(values().every((one, i) => one['x{a="stays"}'] === i)).toBe(true);
    const [first, second] = sink.sources;
    expect(first!.closedAt).toBeGreaterThan(first!.collections.at(-1)!.time);
    expect(first!.closedAt).toBeLessThanOrEqual(second!.collections[0]!.time);
  });

  it('asks for what it refused for a limit a minute later, once there is room, and takes it then', async () => {
    const { intake, take, values, drops } = newIntake(2);
    const all = {
      families: [FAMILY],
      series: [series(0, '1'), series(1, '2'), series(2, '3')],
      ids: [0, 1, 2],
      values: [1, 2, 3],
    };
    await take(1, all);
    expect(drops).toEqual([['series-limit', 1]]);
    // There is no room: asking would change nothing.
    expect([0, 100_000, 200_000].map(now => intake.wantsDefinitions(now))).toEqual([
      false,
      false,
      false,
    ]);
    // Number 1 stands for what number 0 stood for, so one place is free.
    const moved = { families: [FAMILY], series: [series(1, '1'), series(2, '3')] };
    await take(2, { series: [series(1, '1')], ids: [1], values: [4] });
    expect([300_000, 359_999, 360_000, 360_001].map(now => intake.wantsDefinitions(now))).toEqual([
      false,
      false,
      true,
      false,
    ]);
    await take(3, { ...moved, ids: [1, 2], values: [5, 6] });
    expect(values().at(-1)).toEqual({ 'x{a="1"}': 5, 'x{a="3"}': 6 });
  });

  it('tells the newest values of a family by one of its labels', async () => {
    const { intake, take } = newIntake();
    const answer = { families: [FAMILY], series: [series(0, '1'), series(1, '2')] };
    await take(1, { ...answer, ids: [0, 1], values: [1, 2] });
    await take(2, { ids: [1], values: [3] });
    expect(intake.latest('x', 'a')).toEqual(new Map([['2', 3]]));
    expect(intake.latest('y', 'a')).toEqual(new Map());
  });

  it('takes nothing after it was closed', async () => {
    const { intake, take, sink } = newIntake();
    await take(1, { families: [FAMILY], series: [series(0, '1')], ids: [0], values: [1] });
    await intake.close(5);
    await intake.close(6);
    expect(await take(7, { ids: [0], values: [1] })).toBe(0);
    expect(sink.sources[0]!.closedAt).toBe(5);
    expect(sink.sources[0]!.collections).toHaveLength(1);
  });
});
