// Deleting over HTTP: what is asked of the store, and the answers, which are Prometheus'.

import { describe, expect, test } from 'vitest';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { newTestApi } from '../../fakes/api.ts';

const NOW = 1_700_000_000_000;
const DELETE = '/api/v1/admin/tsdb/delete_series';

/** An API whose store notes what it is asked. */
function recordingApi(failure?: Error) {
  const asked: string[] = [];
  const { api } = newTestApi(NOW, {
    admin: {
      snapshot: async () => 'unused',
      deleteSeries: async (minTime, maxTime, matchers) => {
        asked.push(`${minTime} ${maxTime} ${matchers.join(',')}`);
        if (failure) throw failure;
      },
      cleanTombstones: async () => {
        asked.push('clean');
        if (failure) throw failure;
      },
    },
  });
  return { api, asked };
}

describe('delete_series', () => {
  test('deletes each selector in the range and answers 204 with nothing', async () => {
    const { api, asked } = recordingApi();
    const url = `${DELETE}?match[]=up&match[]={job=~"a|b",i!="1"}&start=100.5&end=2023-11-14T22:00:00Z`;
    const response = await api.inject({ method: 'POST', url });
    expect([response.statusCode, response.payload]).toEqual([204, '']);
    expect(asked).toEqual([
      '100500 1699999200000 __name__="up"',
      '100500 1699999200000 job=~"a|b",i!="1"',
    ]);
  });

  test('takes PUT and a form, and all of time where no bounds are given', async () => {
    const { api, asked } = recordingApi();
    const response = await api.inject({
      method: 'PUT',
      url: DELETE,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'match[]=up',
    });
    expect(response.statusCode).toBe(204);
    expect(asked).toEqual([`${Number.MIN_SAFE_INTEGER} ${Number.MAX_SAFE_INTEGER} __name__="up"`]);
  });

  test.each([
    ['', 'no match[] parameter provided'],
    ['?match[]=up&start=x', 'invalid parameter "start": invalid time value for'],
    ['?match[]=up&end=x', 'invalid parameter "end": invalid time value for'],
    ['?match[]=up&match[]=up{', 'invalid parameter "match[]": 1:4: '],
    ['?match[]={}', 'at least one non-empty matcher'],
    ['?match[]={job=~".*"}', 'at least one non-empty matcher'],
  ])('%s is refused before anything is deleted', async (query, error) => {
    const { api, asked } = recordingApi();
    const response = await api.inject({ method: 'POST', url: DELETE + query });
    expect([response.statusCode, response.json().errorType]).toEqual([400, 'bad_data']);
    expect(response.json().error).toContain(error);
    expect(asked).toEqual([]);
  });

  test('a disk that refuses is told as unavailable', async () => {
    const failure = new OutpostError('unavailable', 'delete series: no space left on the device');
    const { api } = recordingApi(failure);
    const response = await api.inject({ method: 'POST', url: `${DELETE}?match[]=up` });
    expect([response.statusCode, response.json()]).toEqual([
      503,
      { status: 'error', errorType: 'unavailable', error: failure.message },
    ]);
  });
});

describe('clean_tombstones', () => {
  test('answers 204 once it is done', async () => {
    const { api, asked } = recordingApi();
    const url = '/api/v1/admin/tsdb/clean_tombstones';
    const response = await api.inject({ method: 'POST', url });
    expect([response.statusCode, response.payload, asked]).toEqual([204, '', ['clean']]);
  });
});

test.each(['delete_series', 'clean_tombstones'])(
  '%s needs the flag, and refuses other methods',
  async name => {
    const url = `/api/v1/admin/tsdb/${name}`;
    const { api } = newTestApi(NOW);
    const closed = await api.inject({ method: 'POST', url: `${url}?match[]=up` });
    expect([closed.statusCode, closed.json()]).toEqual([
      503,
      {
        status: 'error',
        errorType: 'unavailable',
        error: 'admin APIs disabled; an agent allows them with --web.enable-admin-api',
      },
    ]);
    const wrong = await api.inject({ method: 'GET', url });
    expect([wrong.statusCode, wrong.headers['allow']]).toEqual([405, 'POST, PUT']);
  },
);
