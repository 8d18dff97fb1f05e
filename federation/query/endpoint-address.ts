// How endpoints are written: `host:port`, `unix:/path`, `dns+host:port` for all addresses of a name.

import { OutpostError } from '../../src/lifecycle/errors.ts';

/** One configured endpoint. */
export type EndpointSpec =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'dns'; readonly host: string; readonly port: number };

const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/+]+):(\d{1,5})$/;

/** Throws OutpostError `bad-data` for anything else. */
export function parseEndpoint(text: string): EndpointSpec {
  if (text.startsWith('unix:') && text.length > 5) return { kind: 'address', address: text };
  const byName = text.startsWith('dns+');
  const match = HOST_PORT.exec(byName ? text.slice(4) : text);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65_535) {
    throw new OutpostError(
      'bad-data',
      `read endpoint: host:port, unix:/path or dns+host:port is expected, this is "${text}"`,
    );
  }
  if (byName) return { kind: 'dns', host: match[1]!, port };
  return { kind: 'address', address: text };
}

/** An IP address and a port as gRPC wants them. */
export function joinHostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
