// Addresses as IPVS writes them: hexadecimal IPv4, IPv6 in brackets, and a port; the kernel's
// net/netfilter/ipvs/ip_vs_ctl.c.

/** An address in its usual spelling and a port as a decimal number. */
export interface Endpoint {
  readonly address: string;
  readonly port: string;
}

/** Reads "C0A80016:0CEA" or "[2620:0000:…:0001]:0050"; null where it is neither. */
export function parseEndpoint(text: string): Endpoint | null {
  const [, four, six, port] =
    /^(?:([0-9A-F]{8})|\[([0-9A-Fa-f:]+)\]):([0-9A-F]{4})$/.exec(text) ?? [];
  if (port === undefined) return null;
  const address = four === undefined ? shortenIpv6(six!) : dotted(four);
  return { address, port: String(Number.parseInt(port, 16)) };
}

function dotted(hex: string): string {
  return [0, 2, 4, 6].map(at => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
}

/** The spelling of RFC 5952: no leading zeros, the longest run of zero groups as "::". */
export function shortenIpv6(text: string): string {
  const groups = text.split(':').map(group => Number.parseInt(group, 16).toString(16));
  let [best, bestLength] = [-1, 1];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > bestLength) [best, bestLength] = [start, end - start];
  }
  if (best === -1) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + bestLength).join(':')}`;
}
