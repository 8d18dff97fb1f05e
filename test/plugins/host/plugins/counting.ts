// A well-behaved plugin for tests: one counter that counts collections, and a device that the option
// `device` names.

import { defineCollector } from '../../../../plugins/sdk/collector.ts';
import { pattern } from '../../../../plugins/sdk/options.ts';
import { definePlugin } from '../../../../plugins/sdk/runtime.ts';
import { serve } from '../../../../plugins/sdk/serve.ts';

const counting = defineCollector({
  name: 'counting',
  help: 'Counts its own collections.',
  defaultEnabled: true,
  options: { match: pattern('Takes part in nothing.', '') },
  open({ metrics, logger }) {
    const total = metrics
      .counter({ name: 'test_collections_total', help: 'Collections so far.' })
      .with();
    const pid = metrics
      .gauge({ name: 'test_info', help: 'Always the process id.', labels: ['device'] })
      .with('a b"c');
    let count = 0;
    logger.info('counting begins', { answer: 42 });
    return () => {
      total.set(++count);
      pid.set(process.pid);
    };
  },
});

const failing = defineCollector({
  name: 'failing',
  help: 'Always fails.',
  defaultEnabled: false,
  open: () => () => {
    throw new Error('out of paper');
  },
});

await serve(definePlugin({ name: 'counting', version: '1.2.3', collectors: [counting, failing] }));
