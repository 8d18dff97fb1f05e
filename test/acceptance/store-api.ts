// What every StoreAPI server has to do, seen from outside through a plain gRPC client. The cases follow
// Thanos' own acceptance test (pkg/store/acceptance_test.go).

import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { thanos } from '../../proto/gen/thanos.js';
import { xorDecoder } from '../../src/kernels/xor.ts';
import { Labels } from '../../src/labels/labels.ts';
import type { Appender } from '../../src/storage/appender.ts';
import { type Frame, newStorePeer, type StorePeer } from '../fakes/store-peer.ts';

/** A server over a store that `fill` has written, announcing and adding `external`. */
export interface StoreUnderTest {
  readonly address: string;
  stop(): Promise<void>;
}

export type StartStore = (
  external: Labels,
  fill: (appender: Appender) => void,
) => Promise<StoreUnderTest>;

const { EQ, NEQ, RE, NRE } = thanos.LabelMatcher.Type;
const ALL = { minTime: -1e13, maxTime: 1e13 };
const ANY_TIME = { start: -1e13, end: 1e13 };
const REGION = Labels.fromObject({ region: 'eu-west' });

type Lbls = Record<string, string>;
type M = [type: number, name: string, value: string];

function matchers(list: readonly M[]): thanos.LabelMatcher.$Properties[] {
  return list.map(([type, name, value]) => ({ type, name, value }));
}

/** All series of the frames as objects, parts of one series joined. */
function seriesOf(frames: readonly Frame[]): { labels: Lbls; chunks: thanos.AggrChunk.$Shape[] }[] {
  const out: { labels: Lbls; chunks: thanos.AggrChunk.$Shape[] }[] = [];
  for (const frame of frames) {
    const list = frame.series ? [frame.series] : (frame.batch?.series ?? []);
    for (const { labels: pairs, chunks } of list) {
      const labels = Object.fromEntries((pairs ?? []).map(l => [l.name ?? '', l.value ?? '']));
      const last = out.at(-1);
      const part = (chunks ?? []) as thanos.AggrChunk.$Shape[];
      if (last && JSON.stringify(last.labels) === JSON.stringify(labels)) last.chunks.push(...part);
      else out.push({ labels, chunks: [...part] });
    }
  }
  return out;
}

function labelsOf(frames: readonly Frame[]): Lbls[] {
  return seriesOf(frames).map(series => series.labels);
}

function add(appender: Appender, labels: Lbls, time: number, value = 1): void {
  appender.append(appender.series(Labels.fromObject(labels)), time, value);
}

/** Runs the suite; `start` is called once for each group of cases. */
export function testStoreApi(name: string, start: StartStore): void {
  describe(`StoreAPI: ${name}`, () => {
    emptyStore(start);
    labelCalls(start);
    matching(start);
    labelsAndOrder(start);
    frames(start);
  });
}

/** One server for a group of tests. */
function given(
  what: string,
  start: StartStore,
  fill: (appender: Appender) => void,
  body: (peer: () => StorePeer) => void,
): void {
  describe(what, () => {
    let store: StoreUnderTest;
    let peer: StorePeer;
    beforeAll(async () => {
      store = await start(REGION, fill);
      peer = newStorePeer(store.address);
    });
    afterAll(async () => {
      peer.close();
      await store.stop();
    });
    body(() => peer);
  });
}

function emptyStore(start: StartStore): void {
  given(
    'an empty store',
    start,
    () => {},
    peer => {
      test('has no label names, not even external ones', async () => {
        expect((await peer().labelNames(ANY_TIME)).names).toEqual([]);
      });

      test('refuses label values without a label name', async () => {
        await expect(peer().labelValues(ANY_TIME)).rejects.toMatchObject({
          code: status.INVALID_ARGUMENT,
          details: 'label name parameter cannot be empty',
        });
      });

      test('has no values for other labels, and the value of an external one', async () => {
        expect((await peer().labelValues({ ...ANY_TIME, label: 'foo' })).values).toEqual([]);
        expect((await peer().labelValues({ ...ANY_TIME, label: 'region' })).values).toEqual([
          'eu-west',
        ]);
      });

      test('refuses a series call without matchers', async () => {
        await expect(peer().series(ALL)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
      });

      test('refuses a series call whose matchers aim at external labels only', async () => {
        const only = matchers([[EQ, 'region', 'eu-west']]);
        await expect(peer().series({ ...ALL, matchers: only })).rejects.toMatchObject({
          code: status.INVALID_ARGUMENT,
        });
      });

      test('refuses a matcher that is no regular expression', async () => {
        const bad = matchers([[RE, 'foo', 'a(']]);
        await expect(peer().series({ ...ALL, matchers: bad })).rejects.toMatchObject({
          code: status.INVALID_ARGUMENT,
        });
      });

      test('announces its external labels and what it supports', async () => {
        const { labelSets, store } = await peer().info();
        expect(labelSets.map(set => set.labels)).toEqual([
          [{ name: 'region', value: 'eu-west' }].map(label => expect.objectContaining(label)),
        ]);
        expect(store).toMatchObject({ supportsWithoutReplicaLabels: true });
      });
    },
  );
}

function labelCalls(start: StartStore): void {
  const now = 1_700_000_000_000;
  const fill = (appender: Appender): void => {
    add(appender, { __name__: 'm', foo: 'foovalue1' }, now);
    add(appender, { __name__: 'm', foo: 'foovalue2' }, now);
    add(appender, { __name__: 'm', foo: 'foovalue1', bar: 'barvalue1' }, now);
    add(appender, { __name__: 'kube_pod_info', pod: 'pod-1' }, now);
    add(appender, { __name__: 'up', pod: 'pod-1' }, now);
    add(appender, { __name__: 'up', pod: 'pod-2' }, now);
  };
  const early = { start: 0, end: now - 4 * 3_600_000 };
  given('label names and values', start, fill, peer => {
    test.each<[M[], string[], typeof ANY_TIME]>([
      [[], ['__name__', 'bar', 'foo', 'pod', 'region'], ANY_TIME],
      [[], [], early],
      [[[EQ, 'bar', 'barvalue1']], ['__name__', 'bar', 'foo', 'region'], ANY_TIME],
      [[[EQ, 'foo', 'foovalue2']], ['__name__', 'foo', 'region'], ANY_TIME],
      [[[EQ, 'bar', 'different']], [], ANY_TIME],
      [[[EQ, 'region', 'eu-west']], ['__name__', 'bar', 'foo', 'pod', 'region'], ANY_TIME],
      [[[EQ, 'region', 'different']], [], ANY_TIME],
      [[[RE, 'region', '.*']], ['__name__', 'bar', 'foo', 'pod', 'region'], ANY_TIME],
    ])('names under %j are %j', async (given, names, range) => {
      const reply = await peer().labelNames({ ...range, matchers: matchers(given) });
      expect(reply.names).toEqual(names);
    });

    test.each<[string, M[], string[], typeof ANY_TIME]>([
      ['foo', [], ['foovalue1', 'foovalue2'], ANY_TIME],
      ['bar', [], ['barvalue1'], ANY_TIME],
      ['foo', [], [], early],
      ['foo', [[EQ, 'bar', 'barvalue1']], ['foovalue1'], ANY_TIME],
      ['foo', [[EQ, 'bar', 'different']], [], ANY_TIME],
      ['region', [[EQ, '__name__', 'nonexistent']], [], ANY_TIME],
      ['region', [[EQ, '__name__', 'up']], ['eu-west'], ANY_TIME],
      ['region', [[EQ, 'region', 'eu-east']], [], ANY_TIME],
      ['foo', [[EQ, 'region', 'eu-west']], ['foovalue1', 'foovalue2'], ANY_TIME],
      ['foo', [[EQ, 'region', 'different']], [], ANY_TIME],
      ['pod', [[EQ, '__name__', 'kube_pod_info']], ['pod-1'], ANY_TIME],
      ['pod', [], ['pod-1', 'pod-2'], ANY_TIME],
      ['__name__', [], ['kube_pod_info', 'm', 'up'], ANY_TIME],
    ])('values of %s under %j are %j', async (label, given, values, range) => {
      const reply = await peer().labelValues({ ...range, label, matchers: matchers(given) });
      expect(reply.values).toEqual(values);
    });

    test('labels that the caller does without are neither names nor have values', async () => {
      const withoutReplicaLabels = ['region', 'bar'];
      const names = await peer().labelNames({ ...ANY_TIME, withoutReplicaLabels });
      expect(names.names).toEqual(['__name__', 'foo', 'pod']);
      for (const label of withoutReplicaLabels) {
        const reply = await peer().labelValues({ ...ANY_TIME, label, withoutReplicaLabels });
        expect(reply.values).toEqual([]);
      }
    });

    test('values are cut at the limit', async () => {
      const reply = await peer().labelValues({ ...ANY_TIME, label: 'foo', limit: 1 });
      expect(reply.values).toEqual(['foovalue1']);
    });
  });
}

function matching(start: StartStore): void {
  const A = { n: '1', i: 'a' };
  const B = { n: '1', i: 'b' };
  const ONE = { n: '1' };
  const TWO = { n: '2' };
  const HALF = { n: '2.5' };
  const fill = (appender: Appender): void => {
    for (const labels of [ONE, A, B, TWO, HALF]) add(appender, { __name__: 'm', ...labels }, 0, 0);
  };
  given('matching', start, fill, peer => {
    test.each<[M[], Lbls[]]>([
      [[[EQ, 'n', '1']], [A, B, ONE]],
      [[[EQ, 'n', '1'], [EQ, 'i', 'a']], [A]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [EQ, 'i', 'missing']], []], // biome-ignore format: one case a line
      [[[EQ, 'missing', '']], [A, B, ONE, TWO, HALF]],
      [[[NEQ, 'n', '1']], [TWO, HALF]],
      [[[RE, 'i', '.+']], [A, B]],
      [[[RE, 'i', '.*']], [A, B, ONE, TWO, HALF]],
      [[[EQ, 'i', '']], [ONE, TWO, HALF]],
      [[[NEQ, 'i', '']], [A, B]],
      [[[NEQ, 'missing', '']], []],
      [[[EQ, 'n', '1'], [NEQ, 'i', 'a']], [B, ONE]], // biome-ignore format: one case a line
      [[[RE, 'n', '^1$']], [A, B, ONE]],
      [[[EQ, 'n', '1'], [RE, 'i', '^a$']], [A]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [RE, 'i', '^a?$']], [A, ONE]], // biome-ignore format: one case a line
      [[[RE, 'i', '^$']], [ONE, TWO, HALF]],
      [[[EQ, 'n', '1'], [RE, 'i', '^$']], [ONE]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [RE, 'i', '^.*$']], [A, B, ONE]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [RE, 'i', '^.+$']], [A, B]], // biome-ignore format: one case a line
      [[[NRE, 'n', '^1$']], [TWO, HALF]],
      [[[NRE, 'n', '1']], [TWO, HALF]],
      [[[NRE, 'n', '1|2.5']], [TWO]],
      [[[NRE, 'n', '(1|2.5)']], [TWO]],
      [[[EQ, 'n', '1'], [NRE, 'i', '^a$']], [B, ONE]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NRE, 'i', '^a?$']], [B]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NRE, 'i', '^$']], [A, B]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NRE, 'i', '^.*$']], []], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NRE, 'i', '^.+$']], [ONE]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NEQ, 'i', ''], [EQ, 'i', 'a']], [A]], // biome-ignore format: one case a line
      [[[EQ, 'n', '1'], [NEQ, 'i', 'b'], [RE, 'i', '^(b|a).*$']], [A]], // biome-ignore format: one case a line
      [[[RE, 'n', '(1|2)']], [A, B, ONE, TWO]],
      [[[RE, 'i', 'a|b']], [A, B]],
      [[[RE, 'i', '(a|b)']], [A, B]],
      [[[RE, 'n', 'x1|2']], [TWO]],
      [[[RE, 'n', '2|2\\.5']], [TWO, HALF]],
      [[[RE, 'i', 'c||d']], [ONE, TWO, HALF]],
      [[[RE, 'i', '(c||d)']], [ONE, TWO, HALF]],
    ])('%j selects %j', async (given, expected) => {
      const frames = await peer().series({ ...ALL, matchers: matchers(given) });
      const want = expected.map(labels => ({ __name__: 'm', ...labels, region: 'eu-west' }));
      expect(labelsOf(frames)).toEqual(want);
    });

    test('a matcher on an external label that fits is as good as none', async () => {
      const given = matchers([
        [EQ, 'n', '2'],
        [RE, 'region', 'eu-.*'],
      ]);
      expect(labelsOf(await peer().series({ ...ALL, matchers: given }))).toHaveLength(1);
    });

    test('a matcher on an external label that does not fit answers nothing', async () => {
      const given = matchers([
        [EQ, 'n', '2'],
        [NEQ, 'region', 'eu-west'],
      ]);
      expect(await peer().series({ ...ALL, matchers: given })).toEqual([]);
    });

    test('at most `limit` series are sent', async () => {
      const all = matchers([[RE, 'n', '.+']]);
      const frames = await peer().series({ ...ALL, matchers: all, limit: 2 });
      expect(labelsOf(frames).map(labels => labels['i'])).toEqual(['a', 'b']);
    });
  });
}

function labelsAndOrder(start: StartStore): void {
  const fill = (appender: Appender): void => {
    for (const labels of [
      { __name__: 'conflict', region: 'somewhere' },
      // Removing the replica label turns the order of these two around.
      { __name__: 'm', a: '1', replica: '1', z: '2' },
      { __name__: 'm', a: '1', replica: '2', z: '1' },
      // The external label comes between these: the shorter set falls behind.
      { __name__: 'p' },
      { __name__: 'p', a: '1' },
      { __name__: 'p', z: '1' },
      { __name__: 'r', replica: '1' },
      { __name__: 'r', replica: '2' },
    ]) {
      add(appender, labels as Lbls, 0, 0);
    }
  };
  given('labels and order', start, fill, peer => {
    test('an external label wins over a series’ own, with and without chunks', async () => {
      const given = matchers([[EQ, '__name__', 'conflict']]);
      for (const skipChunks of [true, false]) {
        const frames = await peer().series({ ...ALL, matchers: given, skipChunks });
        expect(labelsOf(frames)).toEqual([{ __name__: 'conflict', region: 'eu-west' }]);
      }
    });

    test('series are sorted by the labels they are sent with', async () => {
      const given = matchers([[EQ, '__name__', 'p']]);
      const frames = await peer().series({ ...ALL, matchers: given });
      expect(labelsOf(frames)).toEqual([
        { __name__: 'p', a: '1', region: 'eu-west' },
        { __name__: 'p', region: 'eu-west' },
        { __name__: 'p', region: 'eu-west', z: '1' },
      ]);
    });

    test('series are sorted after replica labels have been removed', async () => {
      const given = matchers([[RE, '__name__', 'm']]);
      const withoutReplicaLabels = ['replica', 'region'];
      const frames = await peer().series({ ...ALL, matchers: given, withoutReplicaLabels });
      expect(labelsOf(frames)).toEqual([
        { __name__: 'm', a: '1', z: '1' },
        { __name__: 'm', a: '1', z: '2' },
      ]);
    });

    test('series that become equal follow each other', async () => {
      const given = matchers([[EQ, '__name__', 'r']]);
      const withoutReplicaLabels = ['replica'];
      const frames = await peer().series({ ...ALL, matchers: given, withoutReplicaLabels });
      const [only, ...others] = seriesOf(frames);
      expect(others).toEqual([]);
      expect(only!.labels).toEqual({ __name__: 'r', region: 'eu-west' });
      expect(only!.chunks.length).toBeGreaterThan(0);
    });
  });
}

function frames(start: StartStore): void {
  const base = 1_700_000_000_000;
  const count = 2 * 65_535 + 5;
  const fill = (appender: Appender): void => {
    const ref = appender.series(Labels.fromObject({ __name__: 'long' }));
    for (let i = 0; i < count; i++) appender.append(ref, base + i, 1);
    for (let i = 0; i < 10; i++) add(appender, { __name__: 'short', i: String(i) }, base, i);
  };
  given('chunks and frames', start, fill, peer => {
    test('samples come in chunks of 120', async () => {
      const frames = await peer().series({
        minTime: base,
        maxTime: base + count,
        matchers: matchers([
          [EQ, '__name__', 'long'],
          [EQ, 'region', 'eu-west'],
        ]),
      });
      const [series, ...others] = seriesOf(frames);
      expect(others).toEqual([]);
      const sizes = series!.chunks.map(chunk => xorDecoder().decode(chunk.raw!.data!));
      expect(sizes).toHaveLength(1093);
      expect(new Set(sizes.slice(0, -1))).toEqual(new Set([120]));
      expect(sizes.at(-1)).toBe(35);
      expect(series!.chunks[0]).toMatchObject({ minTime: base, maxTime: base + 119 });
    });

    test('without chunks only labels are sent', async () => {
      const given = matchers([[EQ, '__name__', 'short']]);
      const frames = await peer().series({ ...ALL, matchers: given, skipChunks: true });
      expect(seriesOf(frames).map(series => series.chunks.length)).toEqual(new Array(10).fill(0));
    });

    test.each([0, 1])('a batch size of %i means one series in a frame', async size => {
      const given = matchers([[EQ, '__name__', 'short']]);
      const frames = await peer().series({ ...ALL, matchers: given, responseBatchSize: size });
      expect(frames).toHaveLength(10);
      expect(frames.every(frame => frame.series && !frame.batch)).toBe(true);
    });

    test('with a larger batch size frames hold as many', async () => {
      const given = matchers([[EQ, '__name__', 'short']]);
      const frames = await peer().series({ ...ALL, matchers: given, responseBatchSize: 4 });
      expect(frames.map(frame => frame.batch?.series?.length)).toEqual([4, 4, 2]);
      expect(labelsOf(frames)).toHaveLength(10);
    });

    test('a range without samples is empty', async () => {
      const given = matchers([[EQ, '__name__', 'long']]);
      const frames = await peer().series({ minTime: 0, maxTime: 1000, matchers: given });
      expect(seriesOf(frames)).toEqual([]);
    });
  });
}
