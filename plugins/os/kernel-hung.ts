// How many tasks the kernel has found hanging, from /proc/sys/kernel/hung_task_detect_count (Linux 6.13).

import { defineCollector } from '../sdk/collector.ts';
import { flag } from '../sdk/options.ts';
import { requirePath } from './absence.ts';

export const kernelHung = defineCollector({
  name: 'kernel_hung',
  help: 'Tasks the kernel found hanging.',
  defaultEnabled: true,
  options: {
    dashboardName: flag('Expose node_kernel_hung_tasks too, the name dashboards ask for.', true),
  },
  open({ files, metrics, options }) {
    const help = 'Tasks found hanging since the host started.';
    const tasks = metrics.counter({ name: 'node_kernel_hung_tasks_total', help }).with();
    const named = metrics.untyped({ name: 'node_kernel_hung_tasks', help });
    const alias = options.dashboardName ? named.with() : null;
    const file = files.proc('sys/kernel/hung_task_detect_count');
    const check = requirePath(file.path, 'the kernel does not count hanging tasks');
    return time => {
      check(time);
      const count = file.readNumber();
      if (Number.isNaN(count)) throw new Error(`a number expected in ${file.path}`);
      tasks.set(count);
      alias?.set(count);
    };
  },
});
