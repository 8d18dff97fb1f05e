// Packets that IPsec could not handle, by reason, from /proc/net/xfrm_stat
// (Documentation/networking/xfrm_proc.rst of the kernel).

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';

export const xfrm = defineCollector({
  name: 'xfrm',
  help: 'Packets that IPsec could not handle, by reason.',
  defaultEnabled: false,
  open({ files, metrics }) {
    const file = files.proc('net/xfrm_stat');
    const check = requirePath(file.path, 'the kernel keeps no statistics of IPsec');
    const counters = new RowCache<Series>(name =>
      metrics
        .counter({
          name: `node_xfrm_${metricPart(name)}_packets_total`,
          help: `Counter ${name} of IPsec.`,
        })
        .with(),
    );
    return time => {
      check(time);
      const scanner = file.read();
      for (let position = 0; scanner.line(); position++) {
        if (scanner.word()) counters.at(position, scanner).set(scanner.number());
      }
      counters.sweep();
    };
  },
});

/** XfrmInStateProtoError as in_state_proto_error. */
function metricPart(name: string): string {
  return name
    .replace(/^Xfrm/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .replace(/[^a-zA-Z0-9_]/g, '_')
    .toLowerCase();
}
