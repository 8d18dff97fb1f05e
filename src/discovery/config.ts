// Which targets a job has, as plain data. Each kind has its own file beside this one.

import type { HttpClientOptions } from '../http-client/options.ts';
import type { TargetGroup } from './discoverer.ts';
import type { KubernetesServer } from './kubernetes/client.ts';

export interface StaticDiscovery {
  readonly kind: 'static';
  readonly groups: readonly TargetGroup[];
}

export interface FileDiscovery {
  readonly kind: 'file';
  /** Absolute; `*` may stand in the last part. */
  readonly files: readonly string[];
  readonly refreshMs: number;
}

export interface HttpDiscovery {
  readonly kind: 'http';
  readonly url: string;
  readonly refreshMs: number;
  readonly http: HttpClientOptions;
}

export interface DnsDiscovery {
  readonly kind: 'dns';
  readonly names: readonly string[];
  readonly type: 'A' | 'AAAA' | 'SRV' | 'MX' | 'NS';
  /** For all types but SRV. */
  readonly port: number;
  readonly refreshMs: number;
}

export interface ListenerDiscovery {
  readonly kind: 'listeners';
  /** Ranges of ports that may be asked, ends included, and ports that may not. */
  readonly ports: readonly (readonly [from: number, to: number])[];
  readonly except: readonly number[];
  /** Where metrics are asked for. */
  readonly path: string;
  /** The kernel's tables, such as /proc/net/tcp. */
  readonly tables: readonly string[];
  readonly refreshMs: number;
}

/** What targets are made of. */
export type KubernetesRole = 'node' | 'pod' | 'service' | 'endpoints' | 'endpointslice' | 'ingress';

/** All roles. */
export const KUBERNETES_ROLES: readonly KubernetesRole[] = [
  'node',
  'pod',
  'service',
  'endpoints',
  'endpointslice',
  'ingress',
];

export interface KubernetesDiscovery {
  readonly kind: 'kubernetes';
  readonly role: KubernetesRole;
  readonly server: KubernetesServer;
  /** All where it is empty. */
  readonly namespaces: readonly string[];
  readonly selectors: readonly {
    readonly role: KubernetesRole;
    readonly label: string;
    readonly field: string;
  }[];
  /** Only pods of this node are looked at; '' is all nodes. */
  readonly nodeName: string;
}

/** One way of finding a job's targets. */
export type DiscoveryConfig =
  | StaticDiscovery
  | FileDiscovery
  | HttpDiscovery
  | DnsDiscovery
  | ListenerDiscovery
  | KubernetesDiscovery;
