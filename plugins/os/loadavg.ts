// Load averages from /proc/loadavg.

import { defineCollector } from '../sdk/collector.ts';

export const loadavg = defineCollector({
  name: 'loadavg',
  help: 'Load averages over one, five and fifteen minutes.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const file = files.proc('loadavg');
    const loads = [1, 5, 15].map(minutes =>
      metrics
        .gauge({ name: `node_load${minutes}`, help: `Load average over ${minutes} min.` })
        .with(),
    );
    return () => {
      const scanner = file.read();
      scanner.line();
      for (const load of loads) {
        const value = scanner.number();
        if (Number.isNaN(value)) throw new Error(`three numbers expected in ${file.path}`);
        load.set(value);
      }
    };
  },
});
