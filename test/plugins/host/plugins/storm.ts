// A plugin that emits events as fast as its host takes them.

import { defineCollector } from '../../../../plugins/sdk/collector.ts';
import { definePlugin } from '../../../../plugins/sdk/runtime.ts';
import { serve } from '../../../../plugins/sdk/serve.ts';

const storm = defineCollector({
  name: 'storm',
  help: 'Emits events without end.',
  defaultEnabled: true,
  open({ metrics }) {
    const gauge = metrics.gauge({ name: 'storm_gauge', help: 'Always one.' }).with();
    return () => gauge.set(1);
  },
  events: {
    declares: [{ name: 'storm.drop', help: 'A drop.', severity: 'info' }],
    async watch({ signal }, emit) {
      for (let i = 0; !signal.aborted; i++) {
        await emit({ name: 'storm.drop', message: `drop ${i}`, cursor: String(i) });
      }
    },
  },
});

await serve(definePlugin({ name: 'storm', version: '1.0.0', collectors: [storm] }));
