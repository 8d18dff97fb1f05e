// Which requests go through a proxy, and how: plain ones name their whole address to it, TLS goes through a
// tunnel that CONNECT opens.

import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { OutpostError } from '../lifecycle/errors.ts';
import type { ProxyOptions } from './options.ts';

/** The proxy for an address, or null where it is reached directly. */
export function proxyFor(proxy: ProxyOptions | undefined, url: URL): URL | null {
  if (!proxy) return null;
  const through = url.protocol === 'https:' ? (proxy.httpsUrl ?? proxy.url) : proxy.url;
  if (through === '' || isDirect(proxy.noProxy, url)) return null;
  return new URL(through.includes('://') ? through : `http://${through}`);
}

function isDirect(noProxy: string, url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .split(',')
    .map(one => one.trim().toLowerCase())
    .some(rule => rule !== '' && covers(rule, host, port));
}

function covers(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  if (rule.includes('/')) return inNetwork(rule, host);
  const at = rule.lastIndexOf(':');
  const hasPort = at > 0 && rule.indexOf(':') === at;
  if (hasPort && rule.slice(at + 1) !== port) return false;
  const name = hasPort ? rule.slice(0, at) : rule;
  const domain = name.replace(/^\*?\./, '');
  return host === name || host === domain || host.endsWith(`.${domain}`);
}

function inNetwork(rule: string, host: string): boolean {
  const family = isIP(host);
  const [network = '', bits = ''] = rule.split('/');
  if (family === 0 || isIP(network) !== family) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, Number(bits), type);
  return list.check(host, type);
}

/** What the proxy is told beside the request. */
export function proxyHeaders(proxy: URL, options: ProxyOptions): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(options.connectHeader)) headers[name] = [...values];
  if (proxy.username !== '') {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['Proxy-Authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  return headers;
}

/** Opens a TLS connection to an address through a proxy. Rejects with `unavailable`. */
export function openTunnel(
  { proxy, target, headers }: { proxy: URL; target: URL; headers: OutgoingHttpHeaders },
  tls: ConnectionOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const authority = `${target.hostname}:${target.port || '443'}`;
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const opening = httpRequest({
    host: proxy.hostname,
    port: proxy.port || 80,
    method: 'CONNECT',
    path: authority,
    headers: { ...headers, Host: authority },
    agent: false,
    signal,
  });
  opening.once('connect', (answer, socket) => {
    if (answer.statusCode !== 200) {
      socket.destroy();
      const message = `open a tunnel through ${proxy.host}: it answered ${answer.statusCode}`;
      return reject(new OutpostError('unavailable', message));
    }
    const servername = isIP(target.hostname) ? {} : { servername: target.hostname };
    const secure = connect({ ...servername, ...tls, socket }, () => resolve(secure));
    secure.once('error', reject);
  });
  opening.once('error', reject);
  opening.end();
  return promise;
}
