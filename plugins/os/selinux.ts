// Whether SELinux is on and enforces, from selinuxfs and /etc/selinux/config.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { Cadence } from './cadence.ts';

/** How the configuration's words read as a mode; what is none of them is "disabled". */
const MODES: Readonly<Record<string, number>> = { enforcing: 1, permissive: 0, disabled: -1 };
const READ_MS = 10_000;

export const selinux = defineCollector({
  name: 'selinux',
  help: 'Whether SELinux is on, and its mode now and by configuration.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const gauge = (name: string, help: string): Series =>
      metrics.gauge({ name: `node_selinux_${name}`, help }).with();
    const enabled = gauge('enabled', 'Whether SELinux is on (1).');
    const configured = gauge('config_mode', 'Mode by configuration: 1 enforcing, 0 permissive.');
    const current = gauge('current_mode', 'Mode now: 1 enforcing, 0 permissive.');
    const config = join(files.roots.rootfs, 'etc/selinux/config');
    const enforce = join(files.roots.sysfs, 'fs/selinux/enforce');
    const cadence = new Cadence(READ_MS);
    let modes: readonly [number, number] | null = null;
    return time => {
      if (cadence.due(time)) {
        const now = files.text(enforce);
        modes = now === null ? null : [Number(now), parseSelinuxMode(files.text(config) ?? '')];
      }
      enabled.set(modes === null ? 0 : 1);
      if (modes === null) return;
      current.set(modes[0]);
      configured.set(modes[1]);
    };
  },
});

/** The mode in the text of /etc/selinux/config: 1 enforcing, 0 permissive, -1 disabled. */
export function parseSelinuxMode(text: string): number {
  const word = /^\s*SELINUX\s*=\s*(\w+)/m.exec(text)?.[1] ?? '';
  return MODES[word.toLowerCase()] ?? -1;
}
