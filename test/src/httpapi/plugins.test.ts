import { describe, expect, test } from 'vitest';
import type { ApiOptions } from '../../../src/httpapi/options.ts';
import type { ApiPlugin } from '../../../src/httpapi/sources.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;

const plugin: ApiPlugin = {
  ...{ name: 'os', state: 'running', since: NOW, pid: 42, version: '1.2', command: ['node', 'x'] },
  ...{ restarts: 1, lastError: '', series: 3, memoryBytes: 1024, cpuCores: 0.5, cpuSeconds: 2 },
  stretch: 1,
  limits: { seriesMax: 10, memoryBytes: Infinity },
  collectors: [
    { name: 'cpu', enabled: true, outcome: 'ok', error: '', durationSeconds: 0.25, cpuSeconds: 2 },
    {
      name: 'nfs',
      enabled: false,
      outcome: 'off',
      error: '',
      durationSeconds: null,
      cpuSeconds: null,
    },
  ],
};

function asked(changes: Partial<ApiOptions>) {
  const { api } = newTestApi(NOW, changes);
  return async (url: string, method: 'GET' | 'POST' = 'GET') => {
    const { statusCode, payload } = await api.inject({ url, method });
    return [statusCode, payload] as const;
  };
}

const lifecycle = { reload: async () => '', quit: () => {} };

describe('plugins', () => {
  test('are listed with what is known of them; what has no number is absent', async () => {
    const list = () => [plugin, { ...plugin, name: 'gone', pid: null, collectors: [] }];
    const get = asked({ plugins: { list, restart: () => {} } });
    const [status, payload] = await get('/api/v1/plugins');
    expect(status).toBe(200);
    expect(JSON.parse(payload).data.plugins).toEqual([
      {
        ...plugin,
        since: '2023-11-14T22:13:20.000Z',
        limits: { seriesMax: 10 },
        collectors: [
          plugin.collectors[0],
          { name: 'nfs', enabled: false, outcome: 'off', error: '' },
        ],
      },
      expect.not.objectContaining({ pid: expect.anything() }),
    ]);
  });

  test('are none where there are none', async () => {
    expect(await asked({})('/api/v1/plugins')).toEqual([
      200,
      '{"status":"success","data":{"plugins":[]}}',
    ]);
  });

  test('start anew only where the lifecycle is open, and only those that exist', async () => {
    const restarted: string[] = [];
    const plugins = {
      list: () => [],
      restart(name: string) {
        if (name !== 'a b') throw new OutpostError('not-found', `restart plugin ${name}: none`);
        restarted.push(name);
      },
    };
    const closed = asked({ plugins });
    expect(await closed('/api/v1/plugins/a%20b/restart', 'POST')).toEqual([
      403,
      'Lifecycle API is not enabled.\n',
    ]);
    const open = asked({ plugins, lifecycle });
    expect(await open('/api/v1/plugins/a%20b/restart', 'POST')).toEqual([
      200,
      '{"status":"success","data":{"plugin":"a b"}}',
    ]);
    expect((await open('/api/v1/plugins/c/restart', 'POST'))[0]).toBe(404);
    expect((await open('/api/v1/plugins/a%20b/restart', 'GET'))[0]).toBe(405);
    expect(restarted).toEqual(['a b']);
  });
});
