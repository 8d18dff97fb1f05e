// Targets that a Kubernetes API server knows of: objects of one role, watched, and what they refer to.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { KubernetesDiscovery, KubernetesRole } from '../config.ts';
import type { Discoverer, TargetGroup } from '../discoverer.ts';
import type { DiscoveryContext } from '../new-discoverer.ts';
import { GroupChanges } from '../polling.ts';
import { KubernetesClient, type KubernetesObject } from './client.ts';
import {
  endpointSliceGroup,
  endpointsGroup,
  ingressGroup,
  type Neighbours,
  nodeGroup,
  podGroup,
  serviceGroup,
} from './groups.ts';
import { ObjectStore } from './object-store.ts';
import type { EndpointSlice, Endpoints, Ingress, Node, Pod, Service } from './objects.ts';

const NAME = 'kubernetes';
/** How long changes are gathered: a rollout has many. */
const GATHER_MS = 500;

interface Resource {
  /** The API's path before `namespaces`. */
  readonly base: string;
  readonly plural: string;
  /** Roles whose objects this one's refer to. */
  readonly needs: readonly KubernetesRole[];
}

const RESOURCES: Readonly<Record<KubernetesRole, Resource>> = {
  pod: { base: '/api/v1', plural: 'pods', needs: [] },
  node: { base: '/api/v1', plural: 'nodes', needs: [] },
  service: { base: '/api/v1', plural: 'services', needs: [] },
  endpoints: { base: '/api/v1', plural: 'endpoints', needs: ['pod', 'service'] },
  endpointslice: {
    base: '/apis/discovery.k8s.io/v1',
    plural: 'endpointslices',
    needs: ['pod', 'service'],
  },
  ingress: { base: '/apis/networking.k8s.io/v1', plural: 'ingresses', needs: [] },
};

/** One role of one API server. */
export function kubernetesDiscoverer(
  config: KubernetesDiscovery,
  context: DiscoveryContext,
): Discoverer {
  return {
    name: NAME,
    async run(signal, publish) {
      const { clock, userAgent } = context;
      const client = new KubernetesClient(config.server, userAgent, () => clock.now());
      const changes = new GroupChanges(publish);
      const stores = new Map<KubernetesRole, ObjectStore[]>();
      let isDue = false;
      const update = (): void => {
        isDue = false;
        const all = [...stores.values()].flat();
        // Half of what targets are made of would drop targets that are there.
        if (signal.aborted || !all.every(store => store.isComplete)) return;
        if (changes.replace(groupsOf(config.role, stores)))
          context.metrics.updates.with(NAME).inc();
      };
      const onChange = (): void => {
        if (isDue) return;
        isDue = true;
        clock.after(GATHER_MS, update);
      };
      const onFailure = failureLog(config, context);
      for (const role of [config.role, ...RESOURCES[config.role].needs]) {
        const queries = queriesOf(role, config);
        stores.set(
          role,
          queries.map(query => new ObjectStore({ client, query, clock, onChange, onFailure })),
        );
      }
      await Promise.all([...stores.values()].flat().map(store => store.run(signal)));
      client.close();
    },
  };
}

/** Logs what is new, counts everything. */
function failureLog(config: KubernetesDiscovery, context: DiscoveryContext) {
  let last = '';
  return (error: unknown): void => {
    context.metrics.failures.with(NAME).inc();
    const { message } = OutpostError.from(error);
    if (message === last) return;
    last = message;
    context.logger.warn('targets are not found', { subject: `role ${config.role}`, err: message });
  };
}

function queriesOf(role: KubernetesRole, config: KubernetesDiscovery) {
  const { base, plural } = RESOURCES[role];
  const selector = config.selectors.find(one => one.role === role);
  const fields = [
    ...(selector?.field ? [selector.field] : []),
    ...(role === 'pod' && config.nodeName !== '' ? [`spec.nodeName=${config.nodeName}`] : []),
  ];
  const namespaces = role === 'node' || config.namespaces.length === 0 ? [''] : config.namespaces;
  return namespaces.map(namespace => ({
    path: namespace === '' ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`,
    ...(selector?.label && { labelSelector: selector.label }),
    ...(fields.length > 0 && { fieldSelector: fields.join(',') }),
  }));
}

function groupsOf(
  role: KubernetesRole,
  stores: ReadonlyMap<KubernetesRole, readonly ObjectStore[]>,
): TargetGroup[] {
  const find = (kind: KubernetesRole, key: string): KubernetesObject | undefined => {
    for (const { objects } of stores.get(kind) ?? []) if (objects.has(key)) return objects.get(key);
    return undefined;
  };
  const neighbours: Neighbours = {
    pod: key => find('pod', key),
    service: key => find('service', key),
  };
  const objects = (stores.get(role) ?? []).flatMap(store => [...store.objects.values()]);
  return objects.map(object => groupOf(role, object, neighbours));
}

// The API answers with the kind that was asked for; each of its fields is optional in our types.
function groupOf(
  role: KubernetesRole,
  object: KubernetesObject,
  neighbours: Neighbours,
): TargetGroup {
  switch (role) {
    case 'pod':
      return podGroup(object as Pod);
    case 'node':
      return nodeGroup(object as Node);
    case 'service':
      return serviceGroup(object as Service);
    case 'endpoints':
      return endpointsGroup(object as Endpoints, neighbours);
    case 'endpointslice':
      return endpointSliceGroup(object as EndpointSlice, neighbours);
    case 'ingress':
      return ingressGroup(object as Ingress);
  }
}
