// The API of a store that is still bringing back its newest samples.

import { expect, test } from 'vitest';
import type { WalReplay } from '../../../src/httpapi/routes/wal-replay.ts';
import { newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;

test('a store that replays its log is not ready, but answers', async () => {
  let walReplay: WalReplay = { min: 2, max: 5, current: 3, state: 'in progress' };
  const { api } = newTestApi(NOW, { walReplay: () => walReplay });
  const statuses = async (): Promise<number[]> => {
    const urls = ['/-/healthy', '/-/ready', '/api/v1/query?query=up', '/api/v1/labels'];
    return (await Promise.all(urls.map(url => api.inject(url)))).map(r => r.statusCode);
  };
  expect(await statuses()).toEqual([200, 503, 200, 200]);
  expect((await api.inject('/api/v1/status/walreplay')).payload).toBe(
    '{"status":"success","data":{"min":2,"max":5,"current":3,"state":"in progress"}}',
  );
  walReplay = { min: 2, max: 5, current: 5, state: 'done' };
  expect(await statuses()).toEqual([200, 200, 200, 200]);
});

test('the replay is told of while the store is not ready at all', async () => {
  const walReplay: WalReplay = { min: 0, max: 0, current: 0, state: 'waiting' };
  const { api } = newTestApi(NOW, { ready: () => false, walReplay: () => walReplay });
  const { statusCode, payload } = await api.inject('/api/v1/status/walreplay');
  expect([statusCode, payload]).toEqual([
    200,
    '{"status":"success","data":{"min":0,"max":0,"current":0,"state":"waiting"}}',
  ]);
});

test('a mode without a log has no page for its replay', async () => {
  const { api } = newTestApi(NOW);
  expect((await api.inject('/api/v1/status/walreplay')).statusCode).toBe(404);
  expect((await api.inject('/-/ready')).statusCode).toBe(200);
});
