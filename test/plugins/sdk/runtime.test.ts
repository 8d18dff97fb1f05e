// Configuration and collection of a plugin, apart from any process.

import { describe, expect, it } from 'vitest';
import { defineCollector, NoDataError } from '../../../plugins/sdk/collector.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { SYSTEM_ROOTS } from '../../../plugins/sdk/files.ts';
import { flag, number, optionsSchema, pattern } from '../../../plugins/sdk/options.ts';
import { definePlugin, PluginRuntime } from '../../../plugins/sdk/runtime.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const OPTIONS = {
  loud: flag('Shout.', false),
  size: number('How big.', 3, { min: 1, max: 9 }),
  names: pattern('Which.', '^a'),
};

const optioned = defineCollector({
  name: 'optioned',
  help: 'Shows its options.',
  defaultEnabled: true,
  options: OPTIONS,
  open({ metrics, options }) {
    const gauge = metrics.gauge({ name: 'options', help: 'O.', labels: ['text'] });
    return () => gauge.with(`${options.loud} ${options.size} ${options.names}`).set(1);
  },
});

const failing = defineCollector({
  name: 'failing',
  help: 'Sets one and fails.',
  defaultEnabled: false,
  open({ metrics }) {
    const before = metrics.gauge({ name: 'before', help: 'B.' }).with();
    return async () => {
      before.set(7);
      await Promise.resolve();
      throw new Error('half way');
    };
  },
});

const absent = defineCollector({
  name: 'absent',
  help: 'Has nothing here.',
  defaultEnabled: false,
  open: () => () => {
    throw new NoDataError('no such hardware');
  },
});

const plugin = definePlugin({
  name: 'demo',
  version: '1',
  collectors: [optioned, failing, absent],
});

function runtime(): PluginRuntime {
  return new PluginRuntime(plugin, { clock: new ManualClock(), logger: silentLogger });
}

describe('a plugin', () => {
  it('runs the collectors that are enabled, with their defaults', async () => {
    const host = new FakeHost(plugin);
    expect(await host.collect()).toBe(
      '# TYPE node_scrape_collector_success gauge\n' +
        'node_scrape_collector_success{collector="optioned"} 1\n' +
        '# TYPE options gauge\n' +
        'options{text="false 3 /^a/"} 1\n',
    );
  });

  it('passes options on', async () => {
    const host = new FakeHost(plugin, {
      collectors: { optioned: { options: { loud: true, size: 9, names: '' } } },
    });
    expect(await host.collect()).toContain('options{text="true 9 null"} 1');
  });

  it('exposes what a failing collector set, its failure, and everything else', async () => {
    const host = new FakeHost(plugin, {
      collectors: { failing: { enabled: true }, absent: { enabled: true } },
    });
    expect(await host.collect()).toBe(
      '# TYPE before gauge\nbefore 7\n' +
        '# TYPE node_scrape_collector_success gauge\n' +
        'node_scrape_collector_success{collector="absent"} 0\n' +
        'node_scrape_collector_success{collector="failing"} 0\n' +
        'node_scrape_collector_success{collector="optioned"} 1\n' +
        '# TYPE options gauge\noptions{text="false 3 /^a/"} 1\n',
    );
    expect(host.failures).toEqual([{ collector: 'failing', message: 'half way' }]);
  });

  it('says where each mistake of a configuration is, and keeps the one before it', async () => {
    const subject = runtime();
    expect(subject.configure({ roots: SYSTEM_ROOTS, collectors: {} })).toEqual([]);
    const problems = subject.configure({
      roots: SYSTEM_ROOTS,
      collectors: {
        nobody: {},
        optioned: { options: { loud: 'yes', size: 10, names: '(', colour: 1 } },
      },
    });
    expect(problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'collectors.nobody is not a collector of plugin demo; it has: optioned, failing, absent',
      'collectors.optioned.options.colour is not an option; known are: loud, size, names',
      'collectors.optioned.options.loud must be true or false',
      'collectors.optioned.options.size must be a number from 1 to 9',
      expect.stringContaining('collectors.optioned.options.names is no regular expression: '),
    ]);
    await expect(subject.collect(1, 0)).resolves.toBeInstanceOf(Uint8Array);
  });

  it('ends the series of a collector that a new configuration leaves out', async () => {
    const subject = runtime();
    subject.configure({ roots: SYSTEM_ROOTS, collectors: {} });
    await subject.collect(1, 0);
    const before = subject.table.definitionSeq;
    subject.configure({ roots: SYSTEM_ROOTS, collectors: { optioned: { enabled: false } } });
    await subject.collect(2, before);
    const live = subject.table.series.filter(
      (_, slot) => subject.table.stamps[slot] === subject.table.generation,
    );
    expect(live).toEqual([]);
    expect(subject.table.definitionSeq).toBe(before);
  });

  it('does not collect before it is configured', async () => {
    await expect(runtime().collect(1, 0)).rejects.toThrow('the plugin has not been configured');
  });

  it('may not have two collectors of one name', () => {
    expect(() =>
      definePlugin({ name: 'demo', version: '1', collectors: [absent, absent] }),
    ).toThrow('plugin demo has two collectors "absent"');
  });
});

describe('optionsSchema', () => {
  it('describes options as JSON Schema, defaults included', () => {
    expect(optionsSchema(OPTIONS)).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        loud: { type: 'boolean', default: false, description: 'Shout.' },
        size: { type: 'number', default: 3, description: 'How big.' },
        names: { type: 'string', default: '^a', description: 'Which.' },
      },
      additionalProperties: false,
    });
  });
});
