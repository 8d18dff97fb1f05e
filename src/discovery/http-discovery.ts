// Targets that an HTTP endpoint names: a full list as JSON at each refresh.

import { HttpClient } from '../http-client/client.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { HttpDiscovery } from './config.ts';
import type { Discoverer } from './discoverer.ts';
import { parseGroups } from './group-text.ts';
import type { DiscoveryContext } from './new-discoverer.ts';
import { pollingDiscoverer } from './polling.ts';

const BODY_BYTES_MAX = 64 * 1024 * 1024;
const JSON_TYPE = /^application\/json(?:;\s*charset=("?)utf-8\1)?$/i;

/** One endpoint. */
export function httpDiscoverer(config: HttpDiscovery, context: DiscoveryContext): Discoverer {
  const { clock } = context;
  const client = new HttpClient(config.http, () => clock.now());
  const polling = pollingDiscoverer(
    {
      name: 'http',
      subject: config.url,
      refreshMs: config.refreshMs,
      find: signal => askForGroups(client, config, { signal, context }),
    },
    context,
  );
  return {
    name: polling.name,
    async run(signal, publish) {
      try {
        await polling.run(signal, publish);
      } finally {
        client.close();
      }
    },
  };
}

async function askForGroups(
  client: HttpClient,
  { url, refreshMs }: HttpDiscovery,
  { signal, context }: { signal: AbortSignal; context: DiscoveryContext },
) {
  const deadline = new AbortController();
  const stop = (): void => deadline.abort(signal.reason);
  const cancel = context.clock.after(refreshMs, () =>
    deadline.abort(new OutpostError('timeout', `no answer from ${url} before the next refresh`)),
  );
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await client.fetch({
      url,
      headers: {
        Accept: 'application/json',
        'User-Agent': context.userAgent,
        'X-Prometheus-Refresh-Interval-Seconds': String(refreshMs / 1000),
      },
      signal: deadline.signal,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    if (response.status !== 200) {
      throw new OutpostError(
        'unavailable',
        `ask ${url} for targets: it answered ${response.status}`,
      );
    }
    const type = response.header('content-type').trim();
    if (!JSON_TYPE.test(type)) {
      const text = `ask ${url} for targets: its answer is ${type || 'of no type'}, not application/json`;
      throw new OutpostError('bad-data', text);
    }
    const labels = { __meta_url: url };
    const text = Buffer.from(response.body).toString('utf8');
    return parseGroups(text, { format: 'json', source: url, labels });
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
