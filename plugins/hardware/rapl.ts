// Energy used by packages, cores and memory, as the processor counts it (/sys/class/powercap). Only root
// may read it on most hosts.

import { accessSync, constants } from 'node:fs';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import { flag } from '../sdk/options.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/powercap';

/** One counter of energy. */
interface Zone {
  readonly entry: string;
  readonly name: string;
  /** Tells zones of one name apart. */
  readonly index: string;
}

export const rapl = defineCollector({
  name: 'rapl',
  help: 'Energy used, by zone of the processor.',
  defaultEnabled: true,
  options: {
    enableZoneLabel: flag('One metric with the zone as a label instead of a metric a zone.', false),
  },
  open({ files, metrics, options, clock }) {
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const { entry, name, index } of findZones(files)) {
          const path = `${files.roots.sysfs}/${DIRECTORY}/${entry}`;
          requireReadable(`${path}/energy_uj`);
          const series = options.enableZoneLabel
            ? metrics
                .counter({
                  name: 'node_rapl_joules_total',
                  help: 'Energy the zone has used.',
                  labels: ['index', 'path', 'rapl_zone'],
                })
                .with(index, path, name)
            : metrics
                .counter({
                  name: `node_rapl_${name.replaceAll(/\W/g, '_')}_joules_total`,
                  help: `Energy the zone ${name} has used.`,
                  labels: ['index', 'path'],
                })
                .with(index, path);
          findings.number(`${DIRECTORY}/${entry}/energy_uj`, series, { over: 1e6 });
        }
      },
    });
  },
});

/** A name such as package-1 carries its index; others are counted, in the order of their directories. */
function findZones(files: Files): Zone[] {
  const seen = new Map<string, number>();
  const directory = `${files.roots.sysfs}/${DIRECTORY}`;
  return files
    .list(directory)
    .sort()
    .flatMap(entry => {
      const text = files.text(`${directory}/${entry}/name`);
      if (text === null) return [];
      const [, numbered, number] = /^([^-]*)-(\d+)$/.exec(text) ?? [];
      const name = numbered ?? text;
      const index = number === undefined ? (seen.get(name) ?? 0) : Number(number);
      seen.set(name, index + 1);
      return [{ entry, name, index: String(index) }];
    });
}

function requireReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new NoDataError(`${path} may be read by root alone`);
  }
}
