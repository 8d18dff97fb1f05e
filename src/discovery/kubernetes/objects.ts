// The kinds of Kubernetes objects that targets are made of, as far as they are read, and labels that all have.

import type { KubernetesObject } from './client.ts';

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly ContainerPort[];
  readonly restartPolicy?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
}

export interface Pod extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface Node extends KubernetesObject {
  readonly spec?: { readonly providerID?: string };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
  };
}

export interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly loadBalancerIP?: string;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly protocol?: string;
    }[];
  };
}

export interface TargetReference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface EndpointAddress {
  readonly ip: string;
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly targetRef?: TargetReference;
}

export interface EndpointPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

export interface Endpoints extends KubernetesObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly EndpointAddress[];
    readonly notReadyAddresses?: readonly EndpointAddress[];
    readonly ports?: readonly EndpointPort[];
  }[];
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType?: string;
  readonly ports?: readonly EndpointPort[];
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: {
      readonly ready?: boolean;
      readonly serving?: boolean;
      readonly terminating?: boolean;
    };
    readonly hostname?: string;
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: TargetReference;
  }[];
}

export interface Ingress extends KubernetesObject {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly tls?: readonly { readonly hosts?: readonly string[] }[];
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: { readonly paths?: readonly { readonly path?: string }[] };
    }[];
  };
}

/** What every label of Kubernetes discovery begins with. */
export const META = '__meta_kubernetes_';

/** A label name made of anything: what cannot stand in one is an underscore. */
export function labelText(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** Name, namespace, labels and annotations of an object under its kind. */
export function objectLabels(object: KubernetesObject, kind: string): Record<string, string> {
  const { name, namespace, labels = {}, annotations = {} } = object.metadata;
  const out: Record<string, string> = { [`${META}${kind}_name`]: name };
  if (namespace !== undefined) out[`${META}namespace`] = namespace;
  for (const [key, value] of Object.entries(labels)) {
    out[`${META}${kind}_label_${labelText(key)}`] = value;
    out[`${META}${kind}_labelpresent_${labelText(key)}`] = 'true';
  }
  for (const [key, value] of Object.entries(annotations)) {
    out[`${META}${kind}_annotation_${labelText(key)}`] = value;
    out[`${META}${kind}_annotationpresent_${labelText(key)}`] = 'true';
  }
  return out;
}

/** A host and port, brackets around IPv6. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
