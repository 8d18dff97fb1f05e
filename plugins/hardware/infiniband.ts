// InfiniBand and RoCE adapters and their ports (/sys/class/infiniband).

import { defineCollector } from '../sdk/collector.ts';
import { newNameFilter } from '../sdk/name-filter.ts';
import { pattern } from '../sdk/options.ts';
import { collectDevices, type Findings } from './device-readings.ts';
import { PORT_COUNTERS } from './infiniband-counters.ts';

const DIRECTORY = 'class/infiniband';
const GIGABIT_BYTES = 125_000_000;

export const infiniband = defineCollector({
  name: 'infiniband',
  help: 'State, traffic and errors of InfiniBand ports.',
  defaultEnabled: true,
  options: {
    deviceInclude: pattern('Adapters to expose; takes the place of deviceExclude.', ''),
    deviceExclude: pattern('Adapters to leave out.', ''),
  },
  open({ files, metrics, options, clock }) {
    const wanted = newNameFilter(options.deviceInclude, options.deviceExclude);
    const list = (path: string) => files.list(`${files.roots.sysfs}/${path}`);
    const labels = ['device', 'port'] as const;
    const gauge = (name: string, help: string) =>
      metrics.gauge({ name: `node_infiniband_${name}`, help, labels });
    const info = metrics.gauge({
      name: 'node_infiniband_info',
      help: 'Identity of the adapter; always 1.',
      labels: ['device', 'board_id', 'firmware_version', 'hca_type'],
    });
    const state = gauge('state_id', 'State of the port: 1 down, 2 init, 3 armed, 4 active.');
    const physical = gauge(
      'physical_state_id',
      'Physical state of the port: 1 sleep, 2 polling, 3 disabled, 5 up, 6 recovering.',
    );
    const rate = gauge('rate_bytes_per_second', 'Bytes the port can move in a second.');
    const lifespan = gauge('lifespan_seconds', 'How long counters of the port may be kept.');
    const counters = PORT_COUNTERS.map(({ file, name, help, times }) => ({
      file,
      times,
      family: metrics.counter({ name: `node_infiniband_${name}_total`, help, labels }),
    }));
    const addPort = (findings: Findings, path: string, device: string, port: string): void => {
      const first = { parse: (text: string) => Number.parseFloat(text) };
      findings.number(`${path}/state`, state.with(device, port), first);
      findings.number(`${path}/phys_state`, physical.with(device, port), first);
      findings.number(`${path}/rate`, rate.with(device, port), {
        parse: text => Math.trunc(Number.parseFloat(text) * GIGABIT_BYTES),
      });
      const present = new Set(
        ['counters', 'counters_ext', 'hw_counters'].flatMap(directory =>
          list(`${path}/${directory}`).map(file => `${directory}/${file}`),
        ),
      );
      if (present.has('hw_counters/lifespan')) {
        findings.number(`${path}/hw_counters/lifespan`, lifespan.with(device, port), {
          parse: text => (text === '' ? Number.NaN : Math.trunc(Number(text) / 1000)),
        });
      }
      for (const { file, times, family } of counters) {
        if (present.has(file)) {
          findings.number(`${path}/${file}`, family.with(device, port), { times });
        }
      }
    };
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const device of list(DIRECTORY).filter(wanted)) {
          const path = `${DIRECTORY}/${device}`;
          const texts = ['board_id', 'fw_ver', 'hca_type'];
          findings.info(info, [{ text: device }, ...texts.map(text => `${path}/${text}`)]);
          for (const port of list(`${path}/ports`)) {
            addPort(findings, `${path}/ports/${port}`, device, port);
          }
        }
      },
    });
  },
});
