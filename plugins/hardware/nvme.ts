// NVMe controllers and their namespaces (/sys/class/nvme).

import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { collectDevices, type Findings } from './device-readings.ts';

const DIRECTORY = 'class/nvme';

export const nvme = defineCollector({
  name: 'nvme',
  help: 'NVMe controllers, and size and use of their namespaces.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const info = metrics.gauge({
      name: 'node_nvme_info',
      help: 'Identity and state of the controller; always 1.',
      labels: ['device', 'firmware_revision', 'model', 'serial', 'state', 'cntlid'],
    });
    const addNamespace = newNamespaces(files, metrics);
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const device of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const path = `${DIRECTORY}/${device}`;
          const texts = ['firmware_rev', 'model', 'serial', 'state', 'cntlid'];
          findings.info(info, [{ text: device }, ...texts.map(text => `${path}/${text}`)]);
          for (const entry of files.list(`${files.roots.sysfs}/${path}`)) {
            const [, nsid] = /^nvme\d+n(\d+)$/.exec(entry) ?? [];
            if (nsid !== undefined) addNamespace(findings, `${path}/${entry}`, [device, nsid]);
          }
        }
      },
    });
  },
});

function newNamespaces(files: Files, metrics: Metrics) {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `node_nvme_namespace_${name}`, help, labels: ['device', 'nsid'] });
  const info = metrics.gauge({
    name: 'node_nvme_namespace_info',
    help: 'State of the path to the namespace; always 1.',
    labels: ['device', 'nsid', 'ana_state'],
  });
  const capacity = gauge('capacity_bytes', 'Capacity of the namespace.');
  const size = gauge('size_bytes', 'Size of the namespace.');
  const used = gauge('used_bytes', 'Space the namespace uses.');
  const block = gauge('logical_block_size_bytes', 'Size of the namespace\u2019s logical blocks.');
  return (findings: Findings, path: string, labels: readonly [string, string]): void => {
    const text = (file: string): string | null =>
      files.text(`${files.roots.sysfs}/${path}/${file}`);
    const times = Number(text('queue/logical_block_size') ?? Number.NaN);
    const ana = text('ana_state') === null ? { text: 'unknown' } : `${path}/ana_state`;
    findings.info(info, [...labels.map(label => ({ text: label })), ana]);
    findings.number(`${path}/size`, size.with(...labels), { times });
    findings.number(`${path}/size`, capacity.with(...labels), { times });
    findings.number(`${path}/nuse`, used.with(...labels), { times });
    findings.constant(block.with(...labels), times);
  };
}
