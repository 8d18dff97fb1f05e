// How many control groups each controller has, from /proc/cgroups.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';

export const cgroups = defineCollector({
  name: 'cgroups',
  help: 'Control groups by controller.',
  defaultEnabled: false,
  intervalMs: 15_000,
  open({ files, metrics }) {
    const gauge = (name: string, help: string) =>
      metrics.gauge({ name: `node_cgroups_${name}`, help, labels: ['subsys_name'] });
    const count = gauge('cgroups', 'Control groups of the controller.');
    const enabled = gauge('enabled', 'Whether the controller is on (1).');
    const file = files.proc('cgroups');
    const check = requirePath(file.path, 'the kernel has no control groups');
    const controllers = new RowCache<readonly [Series, Series]>(name => [
      count.with(name),
      enabled.with(name),
    ]);
    return time => {
      check(time);
      const scanner = file.read();
      scanner.line();
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.word()) continue;
        const [groups, on] = controllers.at(position, scanner);
        // The number of the hierarchy says nothing.
        scanner.skip(1);
        groups.set(scanner.number());
        on.set(scanner.number());
      }
      controllers.sweep();
    };
  },
});
