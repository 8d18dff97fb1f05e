import { beforeEach, expect, test } from 'vitest';
import type { GatheredSource } from '../../../src/httpapi/gathered.ts';
import { Labels } from '../../../src/labels/labels.ts';
import { newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;
const META = { type: 'gauge', help: 'Is it up?', unit: '' };
const calls: unknown[] = [];
const warnings = ['endpoint b: gone'];

const gathered: GatheredSource = {
  async metadata(ask) {
    calls.push(ask);
    const metas = [META, { ...META, help: 'Up' }];
    return { value: new Map([['up', metas]]), warnings };
  },
  async exemplars(ask) {
    calls.push(ask);
    const labels = Labels.fromObject({ __name__: 'm' });
    const exemplars = [{ labels: Labels.empty, value: 1, time: NOW }];
    return { value: [{ labels, exemplars }], warnings };
  },
  async targets() {
    const labels = Labels.fromObject({ job: 'j' });
    const own = { pool: 'p', url: 'http://x', lastError: '', lastScrape: NOW, lastScrapeMs: 5 };
    const active = [{ discoveredLabels: labels, labels, ...own, health: 'up' as const }];
    return { value: { active, dropped: [labels] }, warnings };
  },
};

async function ask(path: string) {
  const { api } = newTestApi(NOW, { gathered });
  const response = await api.inject(`/api/v1/${path}`);
  await api.close();
  return response.json();
}

beforeEach(() => {
  calls.length = 0;
});

test('metadata that is gathered has several descriptions, and warnings', async () => {
  expect(await ask('metadata?limit=3')).toEqual({
    status: 'success',
    data: { up: [META, { ...META, help: 'Up' }] },
    warnings,
  });
  expect(calls).toEqual([{ metric: '', limit: 3 }]);
  expect((await ask('metadata?limit_per_metric=1&metric=up')).data).toEqual({ up: [META] });
  expect(calls[1]).toEqual({ metric: 'up', limit: -1 });
  expect((await ask('metadata?limit_per_metric=0')).data).toEqual({});
  expect((await ask('metadata?limit=x')).errorType).toBe('bad_data');
});

test('exemplars are gathered for the text of a query that can be read', async () => {
  expect(await ask('query_exemplars?query=rate(m[5m])&start=1&end=2')).toEqual({
    status: 'success',
    data: [
      {
        seriesLabels: { __name__: 'm' },
        exemplars: [{ labels: {}, value: '1', timestamp: 1_700_000_000 }],
      },
    ],
    warnings,
  });
  expect(calls).toEqual([{ query: 'rate(m[5m])', minTime: 1000, maxTime: 2000 }]);
  expect((await ask('query_exemplars?query=m(')).errorType).toBe('bad_data');
});

test('targets that are gathered are shown by state and pool', async () => {
  const { data, warnings: said } = await ask('targets');
  expect(said).toEqual(warnings);
  expect(data).toEqual({
    activeTargets: [
      {
        discoveredLabels: { job: 'j' },
        labels: { job: 'j' },
        scrapePool: 'p',
        scrapeUrl: 'http://x',
        globalUrl: 'http://x',
        lastError: '',
        lastScrape: '2023-11-14T22:13:20.000Z',
        lastScrapeDuration: 0.005,
        health: 'up',
      },
    ],
    droppedTargets: [{ discoveredLabels: { job: 'j' } }],
    droppedTargetCounts: {},
  });
  const active = (await ask('targets?state=active')).data;
  expect([active.activeTargets.length, active.droppedTargets.length]).toEqual([1, 0]);
  const dropped = (await ask('targets?state=dropped')).data;
  expect([dropped.activeTargets.length, dropped.droppedTargets.length]).toEqual([0, 1]);
  expect((await ask('targets?scrapePool=other')).data.activeTargets).toEqual([]);
});
