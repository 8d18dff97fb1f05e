// A plugin with everything a plugin may have, for tests.

import { defineCollector } from '../../../../plugins/sdk/collector.ts';
import { defineFunction } from '../../../../plugins/sdk/features.ts';
import { flag, number, text } from '../../../../plugins/sdk/options.ts';
import { definePlugin } from '../../../../plugins/sdk/runtime.ts';
import { wait } from '../../../../plugins/sdk/wait.ts';

const OPTIONS = {
  low: number('Least.', 1, { min: 0, max: 100 }),
  high: number('Most.', 9, { min: 0, max: 100 }),
  events: number('Events there are.', 3, { min: 0, max: 10_000 }),
  fails: flag('Whether it fails.', false),
};

const featured = defineCollector({
  name: 'featured',
  help: 'Has everything.',
  defaultEnabled: true,
  options: OPTIONS,
  instances: true,
  capabilities: ['CAP_SYSLOG'],
  probe: ({ options: { low } }) =>
    low === 0
      ? { outcome: 'missing-permission', message: 'CAP_SYSLOG' }
      : { outcome: 'ok', message: 'all is here' },
  validate: ({ low, high }) =>
    low > high ? [{ option: 'low', message: `must be at most high (${high})` }] : [],
  open({ metrics, host, options, logger }) {
    const answer = metrics
      .gauge({ name: 'featured_answer', help: 'What the host answered.' })
      .with();
    return async () => {
      if (options.fails) throw new Error('it was told to');
      try {
        const [sample] = await host.query('up');
        answer.set(sample?.value ?? -1);
      } catch (error) {
        logger.debug('no host', { err: String(error) });
        answer.set(-2);
      }
    };
  },
  events: {
    declares: [{ name: 'featured.tick', help: 'One of a row.', severity: 'warn' }],
    async watch(context, emit) {
      const { options, resumeAfter } = context;
      for (let i = Number(resumeAfter || 0) + 1; i <= options.events; i++) {
        await emit({
          name: i === 2 ? 'featured.undeclared' : 'featured.tick',
          message: `tick ${i}`,
          time: 1_700_000_000_000 + i,
          subject: { type: 'clock', key: 'c1' },
          attributes: { number: i, text: 'x', flag: true },
          condition: { type: 'Ticking', status: 'true' },
          cursor: String(i),
        });
      }
      await wait(context, 3_600_000);
    },
  },
});

const echo = defineFunction({
  name: 'echo',
  help: 'Answers with its argument, some times.',
  access: 'admin',
  args: {
    say: text('What to say.', 'hello'),
    times: number('How often.', 2, { min: 0, max: 1e7 }),
  },
  async run({ args: { say, times }, signal }, output) {
    for (let i = 0; i < times && !signal.aborted; i++) {
      output.progress(i / times);
      await output.row({ i, say });
    }
  },
});

const remember = defineFunction({
  name: 'remember',
  help: 'Keeps a word on the host and answers with the one before.',
  access: 'public',
  args: { word: text('The word.', '') },
  async run({ args: { word }, host }, output) {
    const before = await host.state.get('word');
    await host.state.put('word', word);
    await host.log('warn', `remembering ${word}`, { length: word.length });
    await output.row(before === null ? null : new TextDecoder().decode(before));
  },
});

export const featuredPlugin = definePlugin({
  name: 'featured',
  version: '2.0.0',
  vendor: 'Tests & Co.',
  collectors: [featured],
  functions: [echo, remember],
  async inventory(context, report) {
    report.present({ id: 'a', type: 'disk', attributes: { size: 7, model: 'A' } });
    report.present({ id: 'b', type: 'disk' });
    report.complete();
    report.gone('b');
    await wait(context, 3_600_000);
  },
  async capture({ trigger, bytesMax }, write) {
    await write('trigger.txt', 'text/plain', `${trigger} ${bytesMax}`);
    await write('../../big.bin', 'application/octet-stream', new Uint8Array(200_000).fill(7));
  },
});
