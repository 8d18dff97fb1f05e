// From bodies to stored series: labels, limits, staleness, times, metadata.

import { describe, expect, test } from 'vitest';
import type { SampleScanner } from '../../../src/exposition/scan/scanner.ts';
import { TextScanner } from '../../../src/exposition/scan/text-scanner.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { RELABEL_DEFAULTS } from '../../../src/labels/relabel.ts';
import type { ScrapeConfig } from '../../../src/scrape/config.ts';
import { TargetStore } from '../../../src/scrape/target-store.ts';
import type { CommitResult } from '../../../src/storage/appender.ts';
import { isStaleAt } from '../../../src/storage/stale.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { NO_LIMITS, scrapeJob } from '../../fakes/scrape-config.ts';

function storing(
  changes: Partial<ScrapeConfig> = {},
  target: Record<string, string> = { job: 'j' },
) {
  const storage = new MemoryStorage();
  const commits: CommitResult[] = [];
  const store = new TargetStore({
    storage,
    config: scrapeJob(changes),
    labels: Labels.fromObject(target),
    seed: 1,
    onCommit: result => void commits.push(result),
  });
  const scanner = (body: string, format: 'text' | 'openmetrics') => (): SampleScanner =>
    new TextScanner(new TextEncoder().encode(body), format);
  const scrape = (body: string, time: number, format: 'text' | 'openmetrics' = 'text') =>
    store.store(scanner(body, format), time);
  const series = (labels: Record<string, string>): (string | number)[] => {
    const { times, values } = storage.samplesOf(Labels.fromObject(labels));
    return times.flatMap((time, i) => [time, isStaleAt(values, i) ? 'stale' : values[i]!]);
  };
  const names = (): string[] => storage.allLabels().map(String).sort();
  return { storage, store, scrape, series, names, commits };
}

const a = { __name__: 'a', job: 'j' };

describe('a target’s bodies', () => {
  test('are stored with the target’s labels at the scrape’s time', async () => {
    const { scrape, series, names } = storing();
    expect(await scrape('a 1\nb{x="y"} 2\n', 1000)).toEqual({ scraped: 2, kept: 2, added: 2 });
    expect(await scrape('a 3\nb{x="y"} 4\n', 2000)).toEqual({ scraped: 2, kept: 2, added: 0 });
    expect([names(), series(a)]).toEqual([
      ['a{job="j"}', 'b{job="j", x="y"}'],
      [1000, 1, 2000, 3],
    ]);
  });

  test('ask the store for a series once', async () => {
    const { scrape, storage } = storing();
    for (let t = 1; t < 6; t++) await scrape('a 1\nb 2\n', t * 1000);
    expect(storage.seriesCalls).toBe(2);
  });

  test('keep clashing labels under other names, or let them win', async () => {
    const body = 'a{job="x",exported_job="y"} 1\n';
    const target = { job: 'j', instance: 'i' };
    const kept = storing({}, target);
    await kept.scrape(body, 1000);
    expect(kept.names()).toEqual([
      'a{exported_exported_job="x", exported_job="y", instance="i", job="j"}',
    ]);
    const honoured = storing({ honorLabels: true }, target);
    await honoured.scrape(body, 1000);
    expect(honoured.names()).toEqual(['a{exported_job="y", instance="i", job="x"}']);
  });

  test('end series that are missing and begin them again', async () => {
    const { scrape, series } = storing();
    await scrape('a 1\nb 1\n', 1000);
    await scrape('b 1\n', 2000);
    await scrape('b 1\n', 3000);
    expect(await scrape('a 2\nb 1\n', 4000)).toEqual({ scraped: 2, kept: 2, added: 1 });
    expect(series(a)).toEqual([1000, 1, 2000, 'stale', 4000, 2]);
  });

  test('do not end a series that is spelled another way', async () => {
    const { scrape, series } = storing();
    await scrape('a{x="1",y="2"} 1\n', 1000);
    await scrape('a{y="2",x="1"} 2\n', 2000);
    expect(series({ ...a, x: '1', y: '2' })).toEqual([1000, 1, 2000, 2]);
  });

  test('end everything when a scrape fails, half read or not read at all', async () => {
    const { store, scrape, series } = storing();
    await scrape('a 1\nb 1\n', 1000);
    await expect(scrape('a 2\nb x\nc 1\n', 2000)).rejects.toThrow('line 2: value "x"');
    await store.fail(2000);
    await scrape('a 3\nb 3\n', 3000);
    await store.fail(4000);
    await store.fail(5000);
    expect(series(a)).toEqual([1000, 1, 2000, 'stale', 3000, 3, 4000, 'stale']);
    expect(series({ ...a, __name__: 'b' })).toEqual([
      1000,
      1,
      2000,
      'stale',
      3000,
      3,
      4000,
      'stale',
    ]);
    expect(series({ ...a, __name__: 'c' })).toEqual([]);
  });

  test('end with the target, what was told of its scrapes too', async () => {
    const { store, scrape, series } = storing();
    await scrape('a 1\n', 1000);
    await store.report([['up', 1]], 1000);
    await store.end(2000);
    expect([series(a), series({ ...a, __name__: 'up' })]).toEqual([
      [1000, 1, 2000, 'stale'],
      [1000, 1, 2000, 'stale'],
    ]);
  });

  test('with times of their own keep them, and do not end', async () => {
    const { scrape, series } = storing();
    await scrape('a 1 500\nb 1\n', 1000);
    await scrape('b 1\n', 2000);
    expect(series(a)).toEqual([500, 1]);
    const tracked = storing({ trackTimestampsStaleness: true });
    await tracked.scrape('a 1 500\n', 1000);
    await tracked.scrape('b 1\n', 2000);
    expect(tracked.series(a)).toEqual([500, 1, 2000, 'stale']);
    const ignored = storing({ honorTimestamps: false });
    await ignored.scrape('a 1 500\n', 1000);
    expect(ignored.series(a)).toEqual([1000, 1]);
  });

  test('are relabelled: dropped series are counted as scraped only', async () => {
    const rule = { ...RELABEL_DEFAULTS, action: 'drop' as const, sourceLabels: ['__name__'] };
    const { scrape, names } = storing({ metricRelabel: [{ ...rule, regex: 'b.*' }] });
    for (const time of [1000, 2000]) {
      const { scraped, kept } = await scrape('a 1\nb1 1\nb2 1\n', time);
      expect([scraped, kept]).toEqual([3, 1]);
    }
    expect(names()).toEqual(['a{job="j"}']);
  });

  test.each([
    [{ samples: 1 }, 'sample_limit exceeded: 2 samples after relabelling, the limit is 1'],
    [{ labels: 2 }, 'label_limit exceeded (metric: b, labels: 3): the limit is 2'],
    [
      { labelNameLength: 8 },
      'label_name_length_limit exceeded (metric: b, label: long_name): the limit is 8',
    ],
    [
      { labelValueLength: 4 },
      'label_value_length_limit exceeded (metric: b, label: long_name): the limit is 4',
    ],
  ])('beyond the limits %j fail as a whole', async (limits, reason) => {
    const { scrape, series } = storing({ limits: { ...NO_LIMITS, ...limits } });
    await expect(scrape('a 1\nb{long_name="value"} 1\n', 1000)).rejects.toThrow(reason);
    expect(series(a)).toEqual([]);
  });

  test('of the legacy scheme have legacy names', async () => {
    const { scrape } = storing({ nameValidation: 'legacy' });
    await expect(scrape('{"a.b"} 1\n', 1000)).rejects.toThrow(
      '"a.b" is no metric name of the legacy scheme',
    );
    await expect(scrape('a{"b.c"="d"} 1\n', 1000)).rejects.toThrow(
      '"b.c" is no label name of the legacy scheme',
    );
  });

  test('tell what metrics mean, and what of it changes', async () => {
    const { store, scrape, storage } = storing();
    await scrape('# HELP a Help.\n# TYPE a counter\na 1\n', 1000);
    expect(storage.metadata().get('a')).toEqual({ type: 'counter', help: 'Help.', unit: '' });
    await scrape('# HELP a Other.\n# TYPE a counter\na 1\n', 2000);
    expect(store.metadata.get('a')).toEqual({ type: 'counter', help: 'Other.', unit: '' });
    expect(storage.metadata().get('a')?.help).toBe('Other.');
  });

  test('bring exemplars', async () => {
    const { scrape, storage } = storing();
    const body =
      '# TYPE a counter\na_total 1 # {t="1"} 0.5\na_total{x="y"} 1 # {t="2"} 1 0.9\n# EOF\n';
    await scrape(body, 1000, 'openmetrics');
    const of = (labels: Record<string, string>) =>
      storage
        .exemplarsOf(Labels.fromObject({ __name__: 'a_total', job: 'j', ...labels }))
        .map(({ labels: own, value, time }) => [own.get('t'), value, time]);
    expect([of({}), of({ x: 'y' })]).toEqual([[['1', 0.5, 1000]], [['2', 1, 900]]]);
  });

  test('whose series the store has dropped meanwhile make them anew', async () => {
    const { scrape, storage, series, commits } = storing();
    await scrape('a 1\nb 1\n', 1000);
    storage.forget(Labels.fromObject(a));
    await scrape('a 2\nb 2\n', 2000);
    expect(series(a)).toEqual([2000, 2]);
    expect(commits.at(-1)?.refused.size).toBe(0);
  });

  test('are known by no more series than twice what is there', async () => {
    const { store, scrape } = storing();
    for (let t = 1; t <= 20; t++) {
      const lines = Array.from({ length: 100 }, (_, i) => `a{i="${t}-${i}"} 1\n`);
      await scrape(lines.join(''), t * 1000);
    }
    expect(store.seriesCount).toBeLessThan(1300);
    expect(await scrape('a{i="20-0"} 1\n', 21_000)).toEqual({ scraped: 1, kept: 1, added: 0 });
  });
});
