// Targets that listen on this host: ports from the kernel's tables, each asked whether it has metrics.
// Opt-in, because a request may surprise whoever listens; bounded in ports, time and requests at a time.

import { readFileSync } from 'node:fs';
import { HttpClient } from '../http-client/client.ts';
import { HTTP_CLIENT_DEFAULTS } from '../http-client/options.ts';
import type { Clock } from '../lifecycle/clock.ts';
import type { ListenerDiscovery } from './config.ts';
import type { Discoverer, TargetGroup } from './discoverer.ts';
import type { DiscoveryContext } from './new-discoverer.ts';
import { pollingDiscoverer } from './polling.ts';

/** Ports that are asked in one round; the others wait for the next. */
const PROBES_MAX = 64;
const PROBES_AT_ONCE = 4;
/** Who has no metrics may only have been slow to start. */
const ROUNDS_UNTIL_AGAIN = 10;
const PROBE_MS = 2000;
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const LISTEN = '0A';
const METRICS =
  /^(text\/plain\b.*version=|application\/openmetrics-text|application\/vnd\.google\.protobuf)/;

/** A port and the address that reaches it from here. */
export interface Listener {
  readonly host: '127.0.0.1' | '[::1]';
  readonly port: number;
}

/** What listens on loopback or on every address, by the text of /proc/net/tcp or tcp6. */
export function listenersOf(text: string): Listener[] {
  const found: Listener[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== LISTEN) continue;
    const host = hostOf(address);
    if (host !== null) found.push({ host, port: Number.parseInt(port, 16) });
  }
  return found;
}

/** Words of the address are little-endian, each by itself. */
function hostOf(address: string): Listener['host'] | null {
  if (address === '0100007F' || address === '00000000') return '127.0.0.1';
  if (/^0{32}$/.test(address)) return '127.0.0.1';
  return address === '00000000000000000000000001000000' ? '[::1]' : null;
}

/** Listeners of this host that answer with metrics. */
export function listenerDiscoverer(
  config: ListenerDiscovery,
  context: DiscoveryContext,
): Discoverer {
  const { clock, userAgent } = context;
  const client = new HttpClient({ ...HTTP_CLIENT_DEFAULTS, followRedirects: false }, clock.now);
  /** What each port answered, and in which round. Who has metrics is asked again only after it was gone. */
  const answers = new Map<string, { readonly isTarget: boolean; readonly round: number }>();
  let round = 0;
  const polling = pollingDiscoverer(
    {
      name: 'listeners',
      subject: config.tables.join(', '),
      refreshMs: config.refreshMs,
      find: async signal => {
        const listening = wantedListeners(config);
        for (const address of answers.keys()) if (!listening.has(address)) answers.delete(address);
        round++;
        const unknown = [...listening.keys()].filter(address => {
          const known = answers.get(address);
          return !known || (!known.isTarget && round - known.round >= ROUNDS_UNTIL_AGAIN);
        });
        const queue = unknown.slice(0, PROBES_MAX);
        const probe = async (): Promise<void> => {
          for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
            const url = `http://${next}${config.path}`;
            const isTarget = await hasMetrics(client, url, { clock, userAgent, signal });
            answers.set(next, { isTarget, round });
          }
        };
        await Promise.all(Array.from({ length: PROBES_AT_ONCE }, probe));
        const targets = [...listening].filter(([address]) => answers.get(address)?.isTarget);
        return targets.map(([address, { port }]) => groupOf(address, port, config.path));
      },
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

function groupOf(address: string, port: number, path: string): TargetGroup {
  const labels = { __metrics_path__: path, __meta_listener_port: String(port) };
  return { source: address, targets: [{ __address__: address }], labels };
}

/** By address; a table that is absent has no listeners. */
function wantedListeners({ tables, ports, except }: ListenerDiscovery): Map<string, Listener> {
  const found = new Map<string, Listener>();
  for (const table of tables) {
    let text = '';
    try {
      text = readFileSync(table, 'utf8');
    } catch {
      continue; // no IPv6 on this host
    }
    for (const listener of listenersOf(text)) {
      const { host, port } = listener;
      const isWanted = ports.some(([from, to]) => port >= from && port <= to);
      if (isWanted && !except.includes(port)) found.set(`${host}:${port}`, listener);
    }
  }
  return found;
}

async function hasMetrics(
  client: HttpClient,
  url: string,
  { clock, userAgent, signal }: { clock: Clock; userAgent: string; signal: AbortSignal },
): Promise<boolean> {
  const deadline = new AbortController();
  const stop = (): void => deadline.abort(signal.reason);
  const cancel = clock.after(PROBE_MS, stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = await client.fetch({
      url,
      headers: { Accept: 'text/plain;version=0.0.4', 'User-Agent': userAgent },
      signal: deadline.signal,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    return answer.status === 200 && METRICS.test(answer.header('content-type'));
  } catch {
    return false; // whoever listens there speaks something else
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
