// The handshake of hashicorp/go-plugin's gRPC protocol, both sides' pure parts: the cookie that says "you
// were started as a plugin", the choice of a protocol version, and the line a plugin prints once it
// listens: `1|<app version>|unix|<socket>|grpc|<certificate>`.

/** Environment variable and value that tell a plugin it was started by a host. No secret. */
export const COOKIE_KEY = 'OUTPOST_PLUGIN';
export const COOKIE_VALUE = '8a3f6c1e5d0b47e29b6d41c7f2a98e05';

/** Version of go-plugin's own protocol. */
export const CORE_VERSION = 1;
/** Versions of outpost.plugin that this code speaks; only breaking generations count. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** Set by our host, which keeps the plugin's stdin open: its end means the host is gone. */
export const LIFELINE_KEY = 'OUTPOST_PLUGIN_LIFELINE';

/** Set to 1 by somebody who starts a plugin by hand, to attach a host to it later. */
export const DEBUG_KEY = 'OUTPOST_PLUGIN_DEBUG';

/** What a plugin says about where it listens. */
export interface Handshake {
  readonly protocolVersion: number;
  readonly network: 'unix' | 'tcp';
  readonly address: string;
  /** Base64 DER of the plugin's certificate where it speaks TLS, else ''. */
  readonly certificate: string;
}

/**
 * The version to speak, given the host's comma list: the highest that both know. Without one the plugin
 * answers its lowest, and the host refuses it with both lists in its error.
 */
export function negotiateVersion(offered: string, ours: readonly number[]): number {
  const theirs = offered.split(',').map(text => Number.parseInt(text, 10));
  const both = ours.filter(version => theirs.includes(version));
  return both.length > 0 ? Math.max(...both) : Math.min(...ours);
}

/** The line a plugin prints, without its newline. */
export function formatHandshake(handshake: Handshake): string {
  const { protocolVersion, network, address, certificate } = handshake;
  return [CORE_VERSION, protocolVersion, network, address, 'grpc', certificate].join('|');
}

/**
 * Reads a line of a plugin's stdout: a handshake, null where the line is something else, or what is wrong
 * with a line that is meant as one.
 */
export function parseHandshake(
  line: string,
  versions: readonly number[],
): Handshake | { readonly problem: string } | null {
  const parts = line.trim().split('|');
  const [core, version, network, address, protocol, certificate] = parts;
  if (parts.length < 4 || !/^\d+$/.test(core!) || !/^\d+$/.test(version!)) return null;
  if (Number(core) !== CORE_VERSION) {
    return { problem: `go-plugin core protocol ${core}, this host speaks ${CORE_VERSION}` };
  }
  if (!versions.includes(Number(version))) {
    const ours = versions.join(', ');
    return { problem: `plugin protocol version ${version}, this host speaks ${ours}` };
  }
  if (network !== 'unix' && network !== 'tcp') return { problem: `network "${network}"` };
  if (!address) return { problem: 'no address' };
  if (protocol !== 'grpc') {
    const name = protocol || 'netrpc (none named)';
    return { problem: `protocol "${name}", this host speaks grpc` };
  }
  return {
    protocolVersion: Number(version),
    network,
    address,
    // Old plugins leave short junk here; no certificate is that short.
    certificate: certificate && certificate.length > 50 ? certificate : '',
  };
}

/** Where a plugin listens that a host did not start. */
export interface Reattach {
  readonly protocolVersion: number;
  readonly network: string;
  readonly address: string;
  readonly pid: number;
}

/** The JSON that go-plugin calls ReattachConfig. `Test` says that the host is not to end the process. */
export function formatReattach({ protocolVersion, network, address, pid }: Reattach): string {
  return JSON.stringify({
    Protocol: 'grpc',
    ProtocolVersion: protocolVersion,
    Pid: pid,
    Test: true,
    Addr: { Network: network, String: address },
  });
}

/** Reads a ReattachConfig, alone or by plugin name, as debugged plugins print it; null where it is none. */
export function parseReattach(text: string): Reattach | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const config = isObject(value) && !('Addr' in value) ? Object.values(value)[0] : value;
  if (!isObject(config) || config['Protocol'] !== 'grpc' || !isObject(config['Addr'])) return null;
  const { ProtocolVersion: protocolVersion, Pid: pid, Addr: addr } = config;
  const { Network: network, String: address } = addr as Record<string, unknown>;
  if (typeof network !== 'string' || typeof address !== 'string') return null;
  return {
    protocolVersion: typeof protocolVersion === 'number' ? protocolVersion : 1,
    network,
    address,
    pid: typeof pid === 'number' ? pid : 0,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
