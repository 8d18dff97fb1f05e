// kubernetes_sd_configs: schema, mistakes, and where the API server is.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import {
  KUBERNETES_ROLES,
  type KubernetesDiscovery,
  type KubernetesRole,
} from '../../discovery/config.ts';
import type { KubernetesServer } from '../../discovery/kubernetes/client.ts';
import type { Mistake } from '../config-file.ts';
import { closed } from '../config-values.ts';
import {
  type ConfigPlace,
  httpClientKeys,
  httpClientMistakes,
  httpClientOptions,
} from './http-client-schema.ts';

const role = (description: string) =>
  Type.Unsafe<KubernetesRole>(
    Type.Union(
      KUBERNETES_ROLES.map(name => Type.Literal(name)),
      { description, examples: [...KUBERNETES_ROLES] },
    ),
  );

/** One entry of the list. */
export const KubernetesSchema = Type.Object(
  {
    role: role('What targets are made of.'),
    api_server: Type.Optional(
      Type.String({ description: 'Its URL. Default: that of the cluster this runs in.' }),
    ),
    namespaces: Type.Optional(
      Type.Object(
        {
          own_namespace: Type.Optional(
            Type.Boolean({ description: 'The namespace this runs in. Default false.' }),
          ),
          names: Type.Optional(Type.Array(Type.String(), { description: 'Further namespaces.' })),
        },
        { ...closed, description: 'Where objects are looked for. Default: everywhere.' },
      ),
    ),
    selectors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            role: role('Which objects.'),
            label: Type.Optional(Type.String({ description: 'Selector by labels.' })),
            field: Type.Optional(
              Type.String({
                pattern: '^$|^[^=!,]+(=|==|!=)[^=!,]*(,[^=!,]+(=|==|!=)[^=!,]*)*$',
                description: 'Selector by fields.',
                examples: ['status.phase=Running'],
              }),
            ),
          },
          closed,
        ),
        { description: 'Which objects the server is asked for.' },
      ),
    ),
    node_local: Type.Optional(
      Type.Boolean({
        description:
          'Look only at pods of this node, which NODE_NAME names, else the host name. Default true.',
      }),
    ),
    ...httpClientKeys,
  },
  closed,
);

type KubernetesBlock = Static<typeof KubernetesSchema>;

/** Roles whose objects a role looks at. */
const SELECTABLE: Readonly<Record<KubernetesRole, readonly KubernetesRole[]>> = {
  pod: ['pod', 'node'],
  service: ['service'],
  endpoints: ['pod', 'service', 'endpoints'],
  endpointslice: ['pod', 'service', 'endpointslice'],
  node: ['node'],
  ingress: ['ingress'],
};

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What is wrong with an entry beyond its schema. */
export function* kubernetesMistakes(
  block: KubernetesBlock,
  at: readonly string[],
): Generator<Mistake> {
  const { api_server: server, namespaces, selectors = [] } = block;
  const ways = ['basic_auth', 'authorization', 'oauth2', 'bearer_token', 'tls_config'] as const;
  const way = ways.find(key => block[key] !== undefined);
  if (!server && way) {
    const message = `${way} is for an api_server that is named; the cluster's own brings its own`;
    yield { keys: [...at, way], message };
  }
  if (server && !/^https?:\/\/[^/]/.test(server)) {
    yield { keys: [...at, 'api_server'], message: `"${server}" is not a URL` };
  }
  if (server && namespaces?.own_namespace) {
    const message = 'own_namespace is for the cluster this runs in, not for an api_server';
    yield { keys: [...at, 'namespaces', 'own_namespace'], message };
  }
  const seen = new Set<string>();
  for (const [i, selector] of selectors.entries()) {
    const keys = [...at, 'selectors', String(i), 'role'];
    if (seen.has(selector.role)) yield { keys, message: `two selectors for role ${selector.role}` };
    seen.add(selector.role);
    const allowed = SELECTABLE[block.role];
    if (allowed.includes(selector.role)) continue;
    const message = `role ${block.role} looks at ${allowed.join(', ')} only`;
    yield { keys, message };
  }
  yield* httpClientMistakes(block, at);
}

/** What an entry without mistakes means. */
export function kubernetesDiscovery(
  block: KubernetesBlock,
  place: ConfigPlace,
): KubernetesDiscovery {
  const { role: wanted, namespaces, selectors = [], node_local: isLocal = true } = block;
  const own = namespaces?.own_namespace ? ownNamespace() : [];
  const nodeName = place.environment['NODE_NAME'] ?? hostname();
  return {
    kind: 'kubernetes',
    role: wanted,
    server: block.api_server
      ? { url: block.api_server, http: httpClientOptions(block, place) }
      : ownServer(place),
    namespaces: [...(namespaces?.names ?? []), ...own],
    selectors: selectors.map(({ role: of, label = '', field = '' }) => ({
      role: of,
      label,
      field,
    })),
    // Behind endpoints are pods of every node.
    nodeName: isLocal && wanted === 'pod' ? nodeName : '',
  };
}

function ownServer({ environment }: ConfigPlace): KubernetesServer {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: host === '' ? '' : `https://${shown}:${port}`,
    reason: 'this does not run in a Kubernetes cluster; set api_server',
    http: {
      authorization: {
        type: 'Bearer',
        credentials: { file: join(SERVICE_ACCOUNT, 'token') },
      },
      tls: { ca: { file: join(SERVICE_ACCOUNT, 'ca.crt') }, insecureSkipVerify: false },
      followRedirects: true,
      headers: {},
    },
  };
}

function ownNamespace(): string[] {
  try {
    return [readFileSync(join(SERVICE_ACCOUNT, 'namespace'), 'utf8').trim()];
  } catch {
    return []; // not in a cluster; the server is not found either, and says so
  }
}
