// NVMe subsystems and the controllers through which they are reached (/sys/class/nvme-subsystem).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/nvme-subsystem';

/** States of a controller that have a series; any other is "unknown". */
const STATES = ['connecting', 'dead', 'deleting', 'live', 'new', 'resetting', 'unknown'] as const;

export const nvmeSubsystem = defineCollector({
  name: 'nvmesubsystem',
  help: 'NVMe subsystems, and paths to them that are live.',
  defaultEnabled: false,
  open({ files, metrics, clock }) {
    const labels = ['subsystem'] as const;
    const info = metrics.gauge({
      name: 'node_nvmesubsystem_info',
      help: 'Identity of the subsystem; always 1.',
      labels: ['subsystem', 'nqn', 'model', 'serial', 'iopolicy'],
    });
    const namespaceInfo = metrics.gauge({
      name: 'node_nvmesubsystem_namespace_info',
      help: 'Block device of a namespace of the subsystem; always 1.',
      labels: ['subsystem', 'device'],
    });
    const paths = metrics.gauge({
      name: 'node_nvmesubsystem_paths',
      help: 'Controllers through which the subsystem is reached.',
      labels,
    });
    const pathsLive = metrics.gauge({
      name: 'node_nvmesubsystem_paths_live',
      help: 'Controllers through which the subsystem is reached and that are live.',
      labels,
    });
    const pathState = metrics.gauge({
      name: 'node_nvmesubsystem_path_state',
      help: 'Whether the controller is in the state (1).',
      labels: ['subsystem', 'controller', 'transport', 'state'],
    });
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const subsystem of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          if (!subsystem.startsWith('nvme-subsys')) continue;
          const path = `${DIRECTORY}/${subsystem}`;
          const texts = ['subsysnqn', 'model', 'serial', 'iopolicy'];
          findings.info(info, [{ text: subsystem }, ...texts.map(text => `${path}/${text}`)]);
          const entries = files.list(`${files.roots.sysfs}/${path}`);
          for (const device of entries.filter(entry => /^nvme\d+n\d+$/.test(entry))) {
            findings.constant(namespaceInfo.with(subsystem, device), 1);
          }
          const controllers = entries
            .filter(entry => /^nvme\d+$/.test(entry))
            .map(name => {
              const place = `${files.roots.sysfs}/${path}/${name}/transport`;
              const transport = files.text(place) ?? '';
              const states = STATES.map(state => pathState.with(subsystem, name, transport, state));
              return { file: findings.text(`${path}/${name}/state`), states };
            });
          const live = pathsLive.with(subsystem);
          findings.constant(paths.with(subsystem), controllers.length);
          findings.each(() => {
            let count = 0;
            for (const { file, states } of controllers) {
              const current = stateOf(file.read());
              if (current === 'live') count++;
              for (let i = 0; i < STATES.length; i++) {
                states[i]!.set(STATES[i] === current ? 1 : 0);
              }
            }
            live.set(count);
          });
        }
      },
    });
  },
});

function stateOf(text: string): string {
  const [word] = text.split(' (');
  return STATES.find(state => state === word) ?? 'unknown';
}
