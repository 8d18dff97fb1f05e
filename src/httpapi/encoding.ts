// Whether and how an answer is packed: the client must allow it, and the way to it must be slower than packing
// is.

import type { IncomingHttpHeaders } from 'node:http';

/** What answers are packed with, the best first. */
export const PACKINGS = ['zstd', 'br', 'gzip'] as const;

export type Packing = (typeof PACKINGS)[number];

const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.)/;
/** What a proxy says of whom it speaks for. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * What to pack with, null where that is not worth its time. A client on this host reads memory faster than
 * anybody packs; a proxy on this host stands for a client that may be anywhere.
 */
export function packingFor(
  headers: IncomingHttpHeaders,
  remoteAddress: string | undefined,
): Packing | null {
  const packing = acceptedPacking(headers['accept-encoding']);
  if (packing === null || !LOOPBACK.test(remoteAddress ?? '')) return packing;
  return PROXY_HEADERS.some(name => headers[name] !== undefined) ? packing : null;
}

/** The packing an Accept-Encoding header wants most; the better one of equally wanted ones. */
export function acceptedPacking(header: string | undefined): Packing | null {
  const wanted = new Map<string, number>();
  for (const part of (header ?? '').split(',')) {
    const [coding = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase());
    wanted.set(coding, qualityOf(parameters));
  }
  let best: Packing | null = null;
  let bestQuality = 0;
  for (const packing of PACKINGS) {
    // `*` is for clients that say nothing more; every one of them reads gzip.
    const quality = wanted.get(packing) ?? (packing === 'gzip' ? (wanted.get('*') ?? 0) : 0);
    if (quality <= bestQuality) continue;
    best = packing;
    bestQuality = quality;
  }
  return best;
}

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1';
  const quality = Number(text);
  return Number.isNaN(quality) ? 0 : quality;
}
