// Kubernetes objects as targets, and a watch over a server that replays answers.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubernetesDiscovery } from '../../../src/discovery/config.ts';
import type { TargetGroup } from '../../../src/discovery/discoverer.ts';
import {
  endpointSliceGroup,
  endpointsGroup,
  ingressGroup,
  nodeGroup,
  podGroup,
  serviceGroup,
} from '../../../src/discovery/kubernetes/groups.ts';
import { kubernetesDiscoverer } from '../../../src/discovery/kubernetes/kubernetes-discovery.ts';
import type { Pod, Service } from '../../../src/discovery/kubernetes/objects.ts';
import { DiscoveryMetrics } from '../../../src/discovery/metrics.ts';
import { HTTP_CLIENT_DEFAULTS } from '../../../src/http-client/options.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';
import { TargetServer } from '../../fakes/target-server.ts';
import { until } from '../../fakes/until.ts';

const pod: Pod = {
  metadata: {
    name: 'p',
    namespace: 'n',
    uid: 'u1',
    labels: { 'app.kubernetes.io/name': 'x' },
    annotations: { 'prometheus.io/scrape': 'true' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'rs', controller: true }],
  },
  spec: {
    nodeName: 'node1',
    containers: [
      {
        name: 'c',
        image: 'i:1',
        ports: [
          { name: 'web', containerPort: 80 },
          { containerPort: 81, protocol: 'UDP' },
        ],
      },
      { name: 'd' },
    ],
    initContainers: [{ name: 'init' }],
  },
  status: {
    podIP: '10.0.0.1',
    hostIP: '192.0.2.1',
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'c', containerID: 'containerd://1' }],
  },
};

const service: Service = {
  metadata: { name: 's', namespace: 'n', labels: { a: 'b' } },
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.1.1.1',
    ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
  },
};

const neighbours = {
  pod: (key: string) => (key === 'n/p' ? pod : undefined),
  service: (key: string) => (key === 'n/s' ? service : undefined),
};

const addresses = ({ targets }: TargetGroup): string[] => targets.map(one => one['__address__']!);

describe('groups', () => {
  test('of a pod have a target for each port, or for a container without any', () => {
    const group = podGroup(pod);
    expect([group.source, addresses(group)]).toEqual([
      'pod/n/p',
      ['10.0.0.1:80', '10.0.0.1:81', '10.0.0.1', '10.0.0.1'],
    ]);
    expect(group.targets[0]).toEqual({
      __address__: '10.0.0.1:80',
      __meta_kubernetes_pod_container_id: 'containerd://1',
      __meta_kubernetes_pod_container_image: 'i:1',
      __meta_kubernetes_pod_container_init: 'false',
      __meta_kubernetes_pod_container_name: 'c',
      __meta_kubernetes_pod_container_port_name: 'web',
      __meta_kubernetes_pod_container_port_number: '80',
      __meta_kubernetes_pod_container_port_protocol: 'TCP',
    });
    expect(group.labels).toEqual({
      __meta_kubernetes_namespace: 'n',
      __meta_kubernetes_pod_annotation_prometheus_io_scrape: 'true',
      __meta_kubernetes_pod_annotationpresent_prometheus_io_scrape: 'true',
      __meta_kubernetes_pod_controller_kind: 'ReplicaSet',
      __meta_kubernetes_pod_controller_name: 'rs',
      __meta_kubernetes_pod_host_ip: '192.0.2.1',
      __meta_kubernetes_pod_ip: '10.0.0.1',
      __meta_kubernetes_pod_label_app_kubernetes_io_name: 'x',
      __meta_kubernetes_pod_labelpresent_app_kubernetes_io_name: 'true',
      __meta_kubernetes_pod_name: 'p',
      __meta_kubernetes_pod_node_name: 'node1',
      __meta_kubernetes_pod_phase: 'Running',
      __meta_kubernetes_pod_ready: 'true',
      __meta_kubernetes_pod_uid: 'u1',
    });
    expect(podGroup({ ...pod, status: {} }).targets).toEqual([]);
  });

  test('of a node have its kubelet at the address that is best', () => {
    const addressesOf = [
      { type: 'Hostname', address: 'h' },
      { type: 'InternalIP', address: '10.0.0.9' },
    ];
    const status = {
      addresses: addressesOf,
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    };
    const group = nodeGroup({ metadata: { name: 'node1' }, status });
    expect(group.targets).toEqual([{ __address__: '10.0.0.9:10250', instance: 'node1' }]);
    expect(group.labels).toMatchObject({
      __meta_kubernetes_node_name: 'node1',
      __meta_kubernetes_node_address_Hostname: 'h',
    });
  });

  test('of a service have its name as address', () => {
    const group = serviceGroup(service);
    expect(addresses(group)).toEqual(['s.n.svc:80']);
    expect(group.targets[0]).toMatchObject({
      __meta_kubernetes_service_cluster_ip: '10.1.1.1',
      __meta_kubernetes_service_type: 'ClusterIP',
    });
  });

  test('of an ingress have a target for each path, by TLS or not', () => {
    const group = ingressGroup({
      metadata: { name: 'i', namespace: 'n' },
      spec: {
        ingressClassName: 'x',
        tls: [{ hosts: ['*.b.c'] }],
        rules: [
          { host: 'a.b.c', http: { paths: [{ path: '/x' }, {}] } },
          { host: 'other', http: { paths: [{ path: '/' }] } },
        ],
      },
    });
    const shown = group.targets.map(one =>
      ['scheme', 'host', 'path'].map(part => one[`__meta_kubernetes_ingress_${part}`]).join(' '),
    );
    expect(shown).toEqual(['https a.b.c /x', 'https a.b.c /', 'http other /']);
  });

  test('of endpoints know the pods behind them, and their other ports', () => {
    const group = endpointsGroup(
      {
        metadata: { name: 's', namespace: 'n' },
        subsets: [
          {
            addresses: [
              { ip: '10.0.0.1', nodeName: 'node1', targetRef: { kind: 'Pod', name: 'p' } },
            ],
            notReadyAddresses: [{ ip: '10.0.0.2' }],
            ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
          },
        ],
      },
      neighbours,
    );
    expect(addresses(group)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.1:81']);
    expect(group.targets[0]).toMatchObject({
      __meta_kubernetes_endpoint_ready: 'true',
      __meta_kubernetes_endpoint_port_name: 'web',
      __meta_kubernetes_endpoint_address_target_kind: 'Pod',
      __meta_kubernetes_pod_name: 'p',
      __meta_kubernetes_pod_container_name: 'c',
    });
    expect(group.targets[1]).toMatchObject({ __meta_kubernetes_endpoint_ready: 'false' });
    expect(group.labels).toMatchObject({
      __meta_kubernetes_endpoints_name: 's',
      __meta_kubernetes_service_label_a: 'b',
    });
  });

  test('of a slice know the service it belongs to', () => {
    const group = endpointSliceGroup(
      {
        metadata: { name: 's-1', namespace: 'n', labels: { 'kubernetes.io/service-name': 's' } },
        addressType: 'IPv4',
        ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            conditions: { ready: true },
            targetRef: { kind: 'Pod', name: 'p' },
          },
        ],
      },
      neighbours,
    );
    expect(addresses(group)).toEqual(['10.0.0.1:80', '10.0.0.1:81']);
    expect(group.targets[0]).toMatchObject({
      __meta_kubernetes_endpointslice_endpoint_conditions_ready: 'true',
      __meta_kubernetes_endpointslice_port: '80',
    });
    expect(group.labels).toMatchObject({
      __meta_kubernetes_service_name: 's',
      __meta_kubernetes_endpointslice_address_type: 'IPv4',
    });
  });
});

describe('a watch', () => {
  let server: TargetServer;
  let clock: ManualClock;
  let registry: Registry;
  let stop: AbortController;
  let running: Promise<void>;
  const known = new Map<string, TargetGroup>();

  beforeEach(async () => {
    server = await TargetServer.listen();
    clock = new ManualClock();
    registry = new Registry();
    stop = new AbortController();
    known.clear();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await server.close();
  });

  function run(changes: Partial<KubernetesDiscovery> = {}): void {
    const config: KubernetesDiscovery = {
      kind: 'kubernetes',
      role: 'pod',
      server: { url: server.url, http: HTTP_CLIENT_DEFAULTS },
      namespaces: [],
      selectors: [{ role: 'pod', label: 'a=b', field: '' }],
      nodeName: 'node1',
      ...changes,
    };
    const discoverer = kubernetesDiscoverer(config, {
      clock,
      logger: silentLogger,
      metrics: new DiscoveryMetrics(registry),
      userAgent: 'outpost/test',
    });
    running = discoverer.run(stop.signal, groups => {
      for (const group of groups) {
        if (group.targets.length > 0) known.set(group.source, group);
        else known.delete(group.source);
      }
    });
  }

  const named = (name: string): Pod => ({ ...pod, metadata: { name, namespace: 'n' } });
  const later = (condition: () => boolean) => (): boolean => {
    clock.advance(500);
    return condition();
  };

  test('lists pods of this node and follows what changes', async () => {
    let watches = 0;
    server.answer = ({ url }) => {
      const { searchParams } = new URL(url, 'http://x');
      if (!searchParams.has('watch')) {
        const isFirst = !searchParams.has('continue');
        const metadata = { resourceVersion: '7', ...(isFirst && { continue: 'page2' }) };
        return { body: JSON.stringify({ metadata, items: [named(isFirst ? 'p1' : 'p2')] }) };
      }
      if (watches++ > 0) return { hangs: true };
      const events = [
        { type: 'ADDED', object: named('p3') },
        { type: 'DELETED', object: named('p1') },
        { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      ];
      return { body: events.map(event => `${JSON.stringify(event)}\n`).join('') };
    };
    run();
    await until(
      'the pods',
      later(() => [...known.keys()].join() === 'pod/n/p2,pod/n/p3'),
    );
    const list = new URL(server.asked[0]!.url, 'http://x');
    expect([list.pathname, list.searchParams.get('labelSelector')]).toEqual([
      '/api/v1/pods',
      'a=b',
    ]);
    expect(list.searchParams.get('fieldSelector')).toBe('spec.nodeName=node1');
    await until(
      'the next watch',
      later(() => watches === 2),
    );
    expect(new URL(server.asked.at(-1)!.url, 'http://x').searchParams.get('resourceVersion')).toBe(
      '9',
    );
  });

  test('lists anew when its version has expired, and keeps targets while the server fails', async () => {
    let lists = 0;
    let status = 200;
    server.answer = ({ url }) => {
      if (status !== 200) return { status };
      if (url.includes('watch=true')) return { status: 410 };
      return { body: JSON.stringify({ metadata: {}, items: [named(`p${++lists}`)] }) };
    };
    run({ namespaces: ['n'] });
    await until(
      'another list',
      later(() => known.has('pod/n/p3') || lists > 3),
    );
    status = 403;
    const failures = (): number =>
      registry.gather().find(({ name }) => name === 'agent_discovery_failures_total')?.samples[0]
        ?.value ?? 0;
    await until(
      'a failure',
      later(() => failures() > 1),
    );
    expect(known.size).toBe(1);
    expect(server.asked[0]!.url).toContain('/api/v1/namespaces/n/pods?');
  });
});
