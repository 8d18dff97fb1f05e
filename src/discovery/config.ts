// Which targets a job has, as plain data. Each kind has its own file beside this one.

import type { HttpClientOptions } from '../http-client/options.ts';
import type { TargetGroup } from './discoverer.ts';

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

/** One way of finding a job's targets. */
export type DiscoveryConfig = StaticDiscovery | FileDiscovery | HttpDiscovery | DnsDiscovery;
