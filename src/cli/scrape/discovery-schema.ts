// The ways of finding targets, as configurations have them.

import { basename, dirname, resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import type { DiscoveryConfig } from '../../discovery/config.ts';
import { parseDuration } from '../../encoding/units.ts';
import type { Mistake } from '../config-file.ts';
import { closed, PositiveDuration } from '../config-values.ts';
import {
  type ConfigPlace,
  httpClientKeys,
  httpClientMistakes,
  httpClientOptions,
} from './http-client-schema.ts';
import { KubernetesSchema, kubernetesDiscovery, kubernetesMistakes } from './kubernetes-schema.ts';

const refresh = (description: string) => Type.Optional(PositiveDuration(description));

const StaticSchema = Type.Object(
  {
    targets: Type.Optional(
      Type.Array(Type.String({ minLength: 1, examples: ['localhost:9100'] }), {
        description: 'Hosts and ports.',
      }),
    ),
    labels: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.String(), {
        description: 'Labels of these targets.',
      }),
    ),
  },
  closed,
);

const FileSchema = Type.Object(
  {
    files: Type.Array(
      Type.String({ pattern: '\\.(json|yml|yaml)$', examples: ['targets/*.yml'] }),
      {
        minItems: 1,
        description: 'Files with groups of targets, YAML or JSON; * may stand in the last part.',
      },
    ),
    refresh_interval: refresh(
      'How often they are read though nothing told of a change. Default 5m.',
    ),
  },
  closed,
);

const HttpSchema = Type.Object(
  {
    url: Type.String({ description: 'Answers with groups of targets as JSON.' }),
    refresh_interval: refresh('How often it is asked. Default 1m.'),
    ...httpClientKeys,
  },
  closed,
);

const DnsSchema = Type.Object(
  {
    names: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: 'Names.' }),
    type: Type.Optional(
      Type.Union(
        (['SRV', 'A', 'AAAA', 'MX', 'NS'] as const).map(type => Type.Literal(type)),
        { description: 'Which records are asked for. Default SRV.', examples: ['SRV', 'A'] },
      ),
    ),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Port of the targets; SRV records bring their own.',
      }),
    ),
    refresh_interval: refresh('How often names are asked for. Default 30s.'),
  },
  closed,
);

const ListenerSchema = Type.Object(
  {
    ports: Type.Optional(
      Type.Array(
        Type.String({ pattern: '^[0-9]{1,5}(-[0-9]{1,5})?$', examples: ['9100', '9090-9999'] }),
        { description: 'Ports that may be asked. Default 9090-9999.' },
      ),
    ),
    except_ports: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
        description: 'Ports that are not asked. Default 9190 and 9191, the agent’s own.',
      }),
    ),
    metrics_path: Type.Optional(Type.String({ description: 'Default /metrics.' })),
    refresh_interval: refresh('How often listeners are looked for. Default 1m.'),
  },
  closed,
);

/** The keys of all kinds, to be spread into a job. */
export const discoveryKeys = {
  static_configs: Type.Optional(
    Type.Array(StaticSchema, { description: 'Targets that are named here.' }),
  ),
  file_sd_configs: Type.Optional(
    Type.Array(FileSchema, { description: 'Targets that files name.' }),
  ),
  http_sd_configs: Type.Optional(
    Type.Array(HttpSchema, { description: 'Targets that an HTTP endpoint names.' }),
  ),
  dns_sd_configs: Type.Optional(Type.Array(DnsSchema, { description: 'Targets that DNS names.' })),
  listener_sd_configs: Type.Optional(
    Type.Array(ListenerSchema, {
      description: 'Whatever listens on this host and answers with metrics.',
    }),
  ),
  kubernetes_sd_configs: Type.Optional(
    Type.Array(KubernetesSchema, { description: 'Targets that a Kubernetes API server knows of.' }),
  ),
};

const DiscoverySchema = Type.Object(discoveryKeys);
type DiscoveryBlock = Static<typeof DiscoverySchema>;

/** What is wrong with a job's discovery beyond its schema. */
export function* discoveryMistakes(
  block: DiscoveryBlock,
  at: readonly string[],
): Generator<Mistake> {
  for (const [i, group] of (block.static_configs ?? []).entries()) {
    for (const [j, target] of (group.targets ?? []).entries()) {
      if (!target.includes('/')) continue;
      const keys = [...at, 'static_configs', String(i), 'targets', String(j)];
      yield { keys, message: `"${target}" is not a host and port` };
    }
  }
  for (const [i, { files }] of (block.file_sd_configs ?? []).entries()) {
    for (const [j, file] of files.entries()) {
      if (!dirname(file).includes('*') && (basename(file).match(/\*/g) ?? []).length <= 1) continue;
      const keys = [...at, 'file_sd_configs', String(i), 'files', String(j)];
      yield { keys, message: `"${file}" has more than one *, or one outside its last part` };
    }
  }
  for (const [i, one] of (block.http_sd_configs ?? []).entries()) {
    const keys = [...at, 'http_sd_configs', String(i)];
    yield* urlMistakes(one.url, [...keys, 'url']);
    yield* httpClientMistakes(one, keys);
  }
  for (const [i, one] of (block.kubernetes_sd_configs ?? []).entries()) {
    yield* kubernetesMistakes(one, [...at, 'kubernetes_sd_configs', String(i)]);
  }
  for (const [i, one] of (block.dns_sd_configs ?? []).entries()) {
    if ((one.type ?? 'SRV') === 'SRV' || one.port) continue;
    const keys = [...at, 'dns_sd_configs', String(i)];
    yield { keys, message: `records of type ${one.type} bring no port; set one` };
  }
}

function* urlMistakes(url: string, keys: readonly string[]): Generator<Mistake> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isHttp = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.host !== '';
  if (!isHttp || /^https?:\/\/\/|^https?:\/\/:/.test(url)) {
    yield {
      keys,
      message: `"${url}" is not a URL that begins with http:// or https:// and a host`,
    };
  }
}

/** What a job's discovery without mistakes means. */
export function discoveryConfigs(block: DiscoveryBlock, place: ConfigPlace): DiscoveryConfig[] {
  const { static_configs: groups = [] } = block;
  const configs: DiscoveryConfig[] = [];
  if (groups.length > 0) {
    configs.push({
      kind: 'static',
      groups: groups.map(({ targets = [], labels = {} }, i) => ({
        source: String(i),
        targets: targets.map(address => ({ __address__: address })),
        labels,
      })),
    });
  }
  for (const { files, refresh_interval: text } of block.file_sd_configs ?? []) {
    const absolute = files.map(file => resolve(place.directory, file));
    configs.push({ kind: 'file', files: absolute, refreshMs: parseDuration(text ?? '5m')! });
  }
  for (const { url, refresh_interval: text, ...http } of block.http_sd_configs ?? []) {
    const refreshMs = parseDuration(text ?? '1m')!;
    configs.push({ kind: 'http', url, refreshMs, http: httpClientOptions(http, place) });
  }
  for (const { names, type = 'SRV', port = 0, refresh_interval: text } of block.dns_sd_configs ??
    []) {
    configs.push({ kind: 'dns', names, type, port, refreshMs: parseDuration(text ?? '30s')! });
  }
  for (const one of block.listener_sd_configs ?? []) {
    configs.push({
      kind: 'listeners',
      ports: (one.ports ?? ['9090-9999']).map(range => {
        const [from = '', to = from] = range.split('-');
        return [Number(from), Number(to)] as const;
      }),
      except: one.except_ports ?? [9190, 9191],
      path: one.metrics_path ?? '/metrics',
      tables: ['/proc/net/tcp', '/proc/net/tcp6'],
      refreshMs: parseDuration(one.refresh_interval ?? '1m')!,
    });
  }
  for (const one of block.kubernetes_sd_configs ?? []) {
    configs.push(kubernetesDiscovery(one, place));
  }
  return configs;
}
