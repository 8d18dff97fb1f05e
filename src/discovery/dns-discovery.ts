// Targets that DNS names: one group for each name. A name that cannot be asked for at the moment keeps its
// targets; one that is known to have no records has none.

import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import type { DnsDiscovery } from './config.ts';
import type { Discoverer, TargetGroup, TargetLabels } from './discoverer.ts';
import type { DiscoveryContext } from './new-discoverer.ts';
import { pollingDiscoverer } from './polling.ts';

const ABSENT = ['ENOTFOUND', 'ENODATA'];
const TIMEOUT_MS = 5000;
const TRIES = 2;

/** Asks for records; what `node:dns` has. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveSrv(name: string): Promise<{ readonly name: string; readonly port: number }[]>;
  resolveMx(name: string): Promise<{ readonly exchange: string }[]>;
  resolveNs(name: string): Promise<string[]>;
}

/** Names of one type of record. */
export function dnsDiscoverer(
  config: DnsDiscovery,
  context: DiscoveryContext,
  resolver: DnsResolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES }),
): Discoverer {
  const known = new Map<string, TargetGroup>();
  return pollingDiscoverer(
    {
      name: 'dns',
      subject: config.names.join(', '),
      refreshMs: config.refreshMs,
      find: async () => {
        const answers = await Promise.allSettled(
          config.names.map(name => findName(name, config, resolver)),
        );
        for (const answer of answers) {
          if (answer.status === 'fulfilled') known.set(answer.value.source, answer.value);
          else context.metrics.failures.with('dns').inc();
        }
        const failed = answers.find(({ status }) => status === 'rejected');
        if (failed?.status === 'rejected' && known.size === 0) throw failed.reason;
        return [...known.values()];
      },
    },
    context,
  );
}

async function findName(
  name: string,
  config: DnsDiscovery,
  resolver: DnsResolver,
): Promise<TargetGroup> {
  try {
    const targets = await recordsOf(name, config, resolver);
    const own = targets.map(one => ({ ...one, __meta_dns_name: name }));
    return { source: name, targets: own, labels: {} };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (ABSENT.includes(String(code))) return { source: name, targets: [], labels: {} };
    const text = `ask for ${config.type} records of ${name}: ${systemReason(error)}`;
    throw new OutpostError('unavailable', text, { cause: error });
  }
}

async function recordsOf(
  name: string,
  { type, port }: DnsDiscovery,
  resolver: DnsResolver,
): Promise<TargetLabels[]> {
  switch (type) {
    case 'A':
      return (await resolver.resolve4(name)).map(ip => ({ __address__: `${ip}:${port}` }));
    case 'AAAA':
      return (await resolver.resolve6(name)).map(ip => ({ __address__: hostPort(ip, port) }));
    case 'SRV':
      return (await resolver.resolveSrv(name)).map(record => ({
        __address__: hostPort(withoutDot(record.name), record.port),
        __meta_dns_srv_record_target: absolute(record.name),
        __meta_dns_srv_record_port: String(record.port),
      }));
    case 'MX':
      return (await resolver.resolveMx(name)).map(({ exchange }) => ({
        __address__: hostPort(withoutDot(exchange), port),
        __meta_dns_mx_record_target: absolute(exchange),
      }));
    case 'NS':
      return (await resolver.resolveNs(name)).map(server => ({
        __address__: hostPort(withoutDot(server), port),
        __meta_dns_ns_record_target: absolute(server),
      }));
  }
}

function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '');
}

/** As it stands in the record: with the dot of the root. */
function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}
