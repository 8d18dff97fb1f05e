// From Kubernetes objects to groups of targets: one pure function for each role. Labels are those of
// prometheus/prometheus discovery/kubernetes.

import type { TargetGroup, TargetLabels } from '../discoverer.ts';
import { keyOf } from './object-store.ts';
import {
  type Container,
  type ContainerPort,
  type EndpointPort,
  type EndpointSlice,
  type Endpoints,
  hostPort,
  type Ingress,
  META,
  type Node,
  objectLabels,
  type Pod,
  type Service,
  type TargetReference,
} from './objects.ts';

const ADDRESS_TYPES = [
  'InternalIP',
  'InternalDNS',
  'ExternalIP',
  'ExternalDNS',
  'LegacyHostIP',
  'Hostname',
];
const KUBELET_PORT = 10_250;

/** What a group may look up beside its own object. */
export interface Neighbours {
  pod(key: string): Pod | undefined;
  service(key: string): Service | undefined;
}

/** One target for each port of each container, or for a container without ports. */
export function podGroup(pod: Pod): TargetGroup {
  const source = `pod/${keyOf(pod)}`;
  const ip = pod.status?.podIP ?? '';
  if (ip === '') return { source, targets: [], labels: {} };
  const targets = containersOf(pod).flatMap(({ container, isInit }): TargetLabels[] => {
    const { ports = [] } = container;
    const labels = containerLabels(pod, container, isInit);
    if (ports.length === 0) return [{ ...labels, __address__: ip.includes(':') ? `[${ip}]` : ip }];
    return ports.map(port => ({
      ...labels,
      ...portLabels(port),
      __address__: hostPort(ip, port.containerPort),
    }));
  });
  return { source, targets, labels: podLabels(pod) };
}

function containersOf({ spec }: Pod): { container: Container; isInit: boolean }[] {
  const { containers = [], initContainers = [] } = spec ?? {};
  return [
    ...containers.map(container => ({ container, isInit: false })),
    ...initContainers.map(container => ({ container, isInit: true })),
  ];
}

function podLabels(pod: Pod): Record<string, string> {
  const { podIP = '', hostIP = '', phase = '', conditions = [] } = pod.status ?? {};
  const controller = pod.metadata.ownerReferences?.find(owner => owner.controller === true);
  const ready = conditions.find(({ type }) => type === 'Ready')?.status.toLowerCase() ?? 'unknown';
  return {
    ...objectLabels(pod, 'pod'),
    [`${META}pod_ip`]: podIP,
    [`${META}pod_ready`]: ready,
    [`${META}pod_phase`]: phase,
    [`${META}pod_node_name`]: pod.spec?.nodeName ?? '',
    [`${META}pod_host_ip`]: hostIP,
    [`${META}pod_uid`]: pod.metadata.uid ?? '',
    ...(controller && {
      [`${META}pod_controller_kind`]: controller.kind,
      [`${META}pod_controller_name`]: controller.name,
    }),
  };
}

function containerLabels(pod: Pod, container: Container, isInit: boolean): Record<string, string> {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const statuses = isInit ? initContainerStatuses : containerStatuses;
  const id = statuses.find(({ name }) => name === container.name)?.containerID ?? '';
  return {
    [`${META}pod_container_name`]: container.name,
    [`${META}pod_container_id`]: id,
    [`${META}pod_container_image`]: container.image ?? '',
    [`${META}pod_container_init`]: String(isInit),
  };
}

function portLabels({ name = '', containerPort, protocol = 'TCP' }: ContainerPort) {
  return {
    [`${META}pod_container_port_name`]: name,
    [`${META}pod_container_port_number`]: String(containerPort),
    [`${META}pod_container_port_protocol`]: protocol,
  };
}

/** The kubelet of a node. */
export function nodeGroup(node: Node): TargetGroup {
  const { name } = node.metadata;
  const { addresses = [], daemonEndpoints } = node.status ?? {};
  const labels: Record<string, string> = {
    ...objectLabels(node, 'node'),
    [`${META}node_provider_id`]: node.spec?.providerID ?? '',
  };
  for (const { type, address } of addresses) labels[`${META}node_address_${type}`] ??= address;
  const sorted = ADDRESS_TYPES.map(type => addresses.find(one => one.type === type)?.address);
  const address = sorted.find(found => found !== undefined);
  if (address === undefined) return { source: `node/${name}`, targets: [], labels };
  const port = daemonEndpoints?.kubeletEndpoint?.Port ?? KUBELET_PORT;
  const target = { __address__: hostPort(address, port), instance: name };
  return { source: `node/${name}`, targets: [target], labels };
}

/** One target for each port of a service. */
export function serviceGroup(service: Service): TargetGroup {
  const { name, namespace = '' } = service.metadata;
  const {
    type = '',
    clusterIP = '',
    externalName = '',
    loadBalancerIP = '',
    ports = [],
  } = service.spec ?? {};
  const isExternal = type === 'ExternalName';
  const targets = ports.map(
    (port): TargetLabels => ({
      __address__: `${name}.${namespace}.svc:${port.port}`,
      [`${META}service_port_name`]: port.name ?? '',
      [`${META}service_port_number`]: String(port.port),
      [`${META}service_port_protocol`]: port.protocol ?? '',
      [`${META}service_type`]: type,
      ...(isExternal
        ? { [`${META}service_external_name`]: externalName }
        : { [`${META}service_cluster_ip`]: clusterIP }),
      ...(type === 'LoadBalancer' && { [`${META}service_loadbalancer_ip`]: loadBalancerIP }),
    }),
  );
  return { source: `svc/${keyOf(service)}`, targets, labels: objectLabels(service, 'service') };
}

/** One target for each path of each host of an ingress. */
export function ingressGroup(ingress: Ingress): TargetGroup {
  const { tls = [], rules = [], ingressClassName } = ingress.spec ?? {};
  const secure = tls.flatMap(({ hosts = [] }) => hosts);
  const targets = rules.flatMap(({ host = '*', http }): TargetLabels[] => {
    const paths = (http?.paths ?? []).map(({ path }) => path || '/');
    const scheme = secure.some(one => coversHost(one, host)) ? 'https' : 'http';
    return (paths.length > 0 ? paths : ['/']).map(path => ({
      __address__: host,
      [`${META}ingress_scheme`]: scheme,
      [`${META}ingress_host`]: host,
      [`${META}ingress_path`]: path,
    }));
  });
  const labels = {
    ...objectLabels(ingress, 'ingress'),
    ...(ingressClassName !== undefined && { [`${META}ingress_class_name`]: ingressClassName }),
  };
  return { source: `ingress/${keyOf(ingress)}`, targets, labels };
}

function coversHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  return host.slice(host.indexOf('.')) === pattern.slice(1);
}

/** One target for each address and port, and for the other ports of the pods behind it. */
export function endpointsGroup(endpoints: Endpoints, neighbours: Neighbours): TargetGroup {
  const found = new PodTargets(endpoints.metadata.namespace ?? '', neighbours);
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of endpoints.subsets ?? []) {
    for (const port of ports) {
      const sides = [
        { list: addresses, ready: 'true' },
        { list: notReadyAddresses, ready: 'false' },
      ];
      for (const { list, ready } of sides) {
        for (const { ip, hostname, nodeName, targetRef } of list) {
          found.add(ip, port, targetRef, {
            ...named(`${META}endpoint_`, { hostname, node_name: nodeName }),
            ...(port.name !== undefined && { [`${META}endpoint_port_name`]: port.name }),
            [`${META}endpoint_port_protocol`]: port.protocol ?? '',
            [`${META}endpoint_ready`]: ready,
            ...referenceLabels(`${META}endpoint_address_`, targetRef),
          });
        }
      }
    }
  }
  return {
    source: `endpoints/${keyOf(endpoints)}`,
    targets: found.done(),
    labels: {
      ...objectLabels(endpoints, 'endpoints'),
      ...serviceLabels(keyOf(endpoints), neighbours),
    },
  };
}

/** As `endpointsGroup`, of one slice. */
export function endpointSliceGroup(slice: EndpointSlice, neighbours: Neighbours): TargetGroup {
  const prefix = `${META}endpointslice_`;
  const { namespace = '', labels = {} } = slice.metadata;
  const found = new PodTargets(namespace, neighbours);
  for (const port of slice.ports ?? []) {
    for (const endpoint of slice.endpoints ?? []) {
      const { conditions = {}, targetRef, hostname, nodeName, zone } = endpoint;
      for (const address of endpoint.addresses ?? []) {
        found.add(address, port, targetRef, {
          [`${prefix}port_name`]: port.name ?? '',
          [`${prefix}port_protocol`]: port.protocol ?? '',
          ...named(prefix, {
            port: port.port,
            port_app_protocol: port.appProtocol,
            endpoint_conditions_ready: conditions.ready,
            endpoint_conditions_serving: conditions.serving,
            endpoint_conditions_terminating: conditions.terminating,
            endpoint_hostname: hostname,
            endpoint_node_name: nodeName,
            endpoint_zone: zone,
          }),
          ...referenceLabels(`${prefix}address_`, targetRef),
        });
      }
    }
  }
  const service = labels['kubernetes.io/service-name'] ?? '';
  return {
    source: `endpointslice/${keyOf(slice)}`,
    targets: found.done(),
    labels: {
      ...objectLabels(slice, 'endpointslice'),
      [`${prefix}address_type`]: slice.addressType ?? '',
      ...serviceLabels(`${namespace}/${service}`, neighbours),
    },
  };
}

function serviceLabels(key: string, neighbours: Neighbours): Record<string, string> {
  const service = neighbours.service(key);
  return service ? objectLabels(service, 'service') : {};
}

/** Labels of those values that are there. */
function named(
  prefix: string,
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Record<string, string> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [prefix + name, String(value)]));
}

function referenceLabels(prefix: string, reference: TargetReference | undefined) {
  return named(prefix, { target_kind: reference?.kind, target_name: reference?.name });
}

/** Targets at addresses; where a pod is behind one, its labels, and its ports that no address names. */
class PodTargets {
  readonly #namespace: string;
  readonly #neighbours: Neighbours;
  readonly #targets: TargetLabels[] = [];
  readonly #seen = new Map<string, { pod: Pod; ports: Set<number> }>();

  constructor(namespace: string, neighbours: Neighbours) {
    this.#namespace = namespace;
    this.#neighbours = neighbours;
  }

  add(
    ip: string,
    port: EndpointPort,
    reference: TargetReference | undefined,
    labels: TargetLabels,
  ): void {
    const target = { ...labels, __address__: hostPort(ip, port.port ?? 0) };
    const key = `${reference?.namespace ?? this.#namespace}/${reference?.name}`;
    const pod = reference?.kind === 'Pod' ? this.#neighbours.pod(key) : undefined;
    if (!pod) {
      this.#targets.push(target);
      return;
    }
    const seen = this.#seen.get(key) ?? { pod, ports: new Set<number>() };
    this.#seen.set(key, seen);
    if (port.port !== undefined) seen.ports.add(port.port);
    const own = containersOf(pod).flatMap(({ container, isInit }) =>
      (container.ports ?? [])
        .filter(({ containerPort }) => containerPort === port.port)
        .map(one => ({ ...containerLabels(pod, container, isInit), ...portLabels(one) })),
    );
    this.#targets.push({ ...podLabels(pod), ...own[0], ...target });
  }

  done(): readonly TargetLabels[] {
    for (const { pod, ports } of this.#seen.values()) {
      const ip = pod.status?.podIP ?? '';
      for (const { container, isInit } of containersOf(pod)) {
        for (const port of container.ports ?? []) {
          if (ports.has(port.containerPort) || ip === '') continue;
          this.#targets.push({
            ...podLabels(pod),
            ...containerLabels(pod, container, isInit),
            ...portLabels(port),
            __address__: hostPort(ip, port.containerPort),
          });
        }
      }
    }
    return this.#targets;
  }
}
