// Errors of PCI Express devices that the kernel was told of by Advanced Error Reporting
// (/sys/bus/pci/devices/*/aer_dev_*; Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats).

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { number } from '../sdk/options.ts';
import { collectDevices, type FileText } from './device-readings.ts';

const DIRECTORY = 'bus/pci/devices';
const SEVERITIES = ['correctable', 'nonfatal', 'fatal'] as const;
type Severity = (typeof SEVERITIES)[number];

export const pciAer = defineCollector({
  name: 'pci_aer',
  help: 'Errors that PCI Express devices reported.',
  defaultEnabled: true,
  options: {
    maxDevices: number('Most devices that are exposed.', 256, { min: 1, max: 10_000 }),
  },
  open({ files, metrics, options, clock, logger }) {
    const newStatistics = newAerFamilies(metrics);
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        const devices = files
          .list(`${files.roots.sysfs}/${DIRECTORY}`)
          .filter(
            device =>
              files.text(`${files.roots.sysfs}/${DIRECTORY}/${device}/aer_dev_fatal`) !== null,
          );
        if (devices.length === 0) throw new NoDataError('no PCI device reports errors');
        if (devices.length > options.maxDevices) {
          logger.info('errors of not all PCI devices are exposed', { devices: devices.length });
        }
        const statistics = devices.slice(0, options.maxDevices).flatMap(device =>
          SEVERITIES.map(severity => {
            const text = findings.text(`${DIRECTORY}/${device}/aer_dev_${severity}`);
            return newStatistics(device, severity, text);
          }),
        );
        findings.each(() => {
          for (const report of statistics) report();
        });
      },
    });
  },
});

/**
 * Each device has one series a severity. The some forty kinds of errors have one only once they happened,
 * so that a host without errors does not pay for them.
 */
function newAerFamilies(metrics: Metrics) {
  const all = metrics.counter({
    name: 'node_pci_aer_errors_total',
    help: 'Errors of all kinds that the device reported.',
    labels: ['device', 'severity'],
  });
  const [correctable, nonfatal, fatal] = SEVERITIES.map(severity =>
    metrics.counter({
      name: `node_pci_aer_${severity}_total`,
      help: `Errors that are ${severity} by kind; a kind appears with its first error.`,
      labels: ['device', 'type'],
    }),
  );
  const families = { correctable: correctable!, nonfatal: nonfatal!, fatal: fatal! };
  return (device: string, severity: Severity, file: FileText): (() => void) => {
    const total = all.with(device, severity);
    const shown = new Map<string, Series>();
    let text = '';
    let counts: readonly (readonly [string, number])[] = [];
    let sum = 0;
    return () => {
      const now = file.read();
      if (now === '') return;
      if (now !== text) {
        text = now;
        counts = parseAer(now);
        sum = 0;
        for (const [type, count] of counts) {
          sum += count;
          if (count > 0 && !shown.has(type)) shown.set(type, families[severity].with(device, type));
        }
      }
      total.set(sum);
      for (const [type, count] of counts) shown.get(type)?.set(count);
    };
  };
}

/** Kinds of errors and their counts from lines such as "BadTLP 0"; the kernel's own sum is left out. */
export function parseAer(text: string): (readonly [type: string, count: number])[] {
  return text.split('\n').flatMap(line => {
    const [type, count] = line.trim().split(/\s+/);
    if (type === undefined || count === undefined || type.startsWith('TOTAL_ERR_')) return [];
    const value = Number(count);
    return Number.isNaN(value) ? [] : [[type, value] as const];
  });
}
