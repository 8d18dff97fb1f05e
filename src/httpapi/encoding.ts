// Whether an answer is packed: the client must allow it, and the way to it must be slower than packing is.

import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.)/;
/** What a proxy says of whom it speaks for. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * True where gzip is worth its time. A client on this host reads memory faster than anybody packs; a proxy on
 * this host stands for a client that may be anywhere.
 */
export function wantsGzip(
  headers: IncomingHttpHeaders,
  remoteAddress: string | undefined,
): boolean {
  if (!acceptsGzip(headers['accept-encoding'])) return false;
  if (!LOOPBACK.test(remoteAddress ?? '')) return true;
  return PROXY_HEADERS.some(name => headers[name] !== undefined);
}

/** True where an Accept-Encoding header allows gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  return (header ?? '').split(',').some(part => {
    const [coding = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase());
    if (coding !== 'gzip' && coding !== '*') return false;
    return !parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter));
  });
}
