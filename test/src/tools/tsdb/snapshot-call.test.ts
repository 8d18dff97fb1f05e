import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiOptions } from '../../../../src/httpapi/options.ts';
import { requestSnapshot } from '../../../../src/tools/tsdb/snapshot-call.ts';
import { newTestApi } from '../../../fakes/api.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(changes: Partial<ApiOptions>): Promise<string> {
  const { api } = newTestApi(0, changes);
  await api.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => api.close());
  return `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
}

const { signal } = new AbortController();

describe('a snapshot of a running agent', () => {
  it('is asked for over its API, with or without what is not in blocks yet', async () => {
    const asked: boolean[] = [];
    const url = await listening({
      admin: {
        async snapshot({ skipHead }) {
          asked.push(skipHead);
          return '20231114T220000Z-0badcafe';
        },
        deleteSeries: () => expect.fail('nothing is to be deleted'),
        cleanTombstones: () => expect.fail('nothing is to be cleaned'),
      },
    });
    const name = '20231114T220000Z-0badcafe';
    expect(await requestSnapshot(`${url}/`, { skipHead: true }, signal)).toBe(name);
    expect(await requestSnapshot(url, { skipHead: false }, signal)).toBe(name);
    expect(asked).toEqual([true, false]);
  });

  it('names the flag that allows it', async () => {
    const url = await listening({});
    await expect(requestSnapshot(url, { skipHead: false }, signal)).rejects.toThrow(
      /admin APIs disabled.*--web\.enable-admin-api/,
    );
  });
});
