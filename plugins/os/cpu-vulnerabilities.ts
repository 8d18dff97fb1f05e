// Which flaws the CPUs have and what the kernel does about them, from
// /sys/devices/system/cpu/vulnerabilities.

import { join } from 'node:path';
import { defineCollector, NoDataError } from '../sdk/collector.ts';

export const cpuVulnerabilities = defineCollector({
  name: 'cpu_vulnerabilities',
  help: 'Flaws of the CPUs and what is done about them.',
  defaultEnabled: true,
  intervalMs: 300_000,
  open({ files, metrics }) {
    const info = metrics.gauge({
      name: 'node_cpu_vulnerabilities_info',
      help: 'A flaw that CPUs of this kind may have; always 1.',
      labels: ['codename', 'state', 'mitigation'],
    });
    const directory = join(files.roots.sysfs, 'devices/system/cpu/vulnerabilities');
    return () => {
      const names = files.list(directory);
      if (names.length === 0) throw new NoDataError(`the kernel tells no flaws in ${directory}`);
      for (const name of names) {
        const found = parseVulnerability(files.text(join(directory, name)) ?? '');
        info.with(name, found.state, found.mitigation).set(1);
      }
    };
  },
});

/** Reads "Not affected", "Vulnerable: why", "Mitigation: what" or whatever else a kernel tells. */
export function parseVulnerability(text: string): {
  readonly state: string;
  readonly mitigation: string;
} {
  const [, state = 'unknown', mitigation = text.trim()] =
    /^(not affected|vulnerable|mitigation|unknown)\b[:;]?\s*(.*)$/is.exec(text.trim()) ?? [];
  const known = state.toLowerCase();
  return { state: known, mitigation: known === 'not affected' ? '' : mitigation };
}
