// The kernel's random number generator, from /proc/sys/kernel/random.

import { defineCollector } from '../sdk/collector.ts';
import { NumberFiles } from './number-files.ts';

export const entropy = defineCollector({
  name: 'entropy',
  help: 'Available entropy and the size of its pool.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const numbers = new NumberFiles(files);
    for (const [file, name, help] of [
      ['entropy_avail', 'node_entropy_available_bits', 'Entropy that is available.'],
      ['poolsize', 'node_entropy_pool_size_bits', 'Size of the entropy pool.'],
    ] as const) {
      const { path } = files.proc(`sys/kernel/random/${file}`);
      numbers.add(path, metrics.gauge({ name, help, unit: 'bits' }).with());
    }
    return time => {
      if (numbers.report(time) === 2) return;
      throw new Error(`two numbers expected below ${files.proc('sys/kernel/random').path}`);
    };
  },
});
