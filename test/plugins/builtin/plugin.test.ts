// The process that the built-in sets share, held to what every plugin must do.

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { combinePlugins } from '../../../plugins/builtin/combine.ts';
import { hardwarePlugin } from '../../../plugins/hardware/plugin.ts';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { defineCollector } from '../../../plugins/sdk/collector.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { testPlugin } from '../../acceptance/plugin.ts';

const MAIN = fileURLToPath(new URL('../../../plugins/builtin/main.ts', import.meta.url));

testPlugin('the shared process', () => ({
  command: process.execPath,
  args: [MAIN, 'os', 'hardware'],
}));

describe('combined plugins', () => {
  it('have all collectors of all, in order', () => {
    const names = combinePlugins('builtin', [osPlugin, hardwarePlugin]).collectors.map(
      ({ name }) => name,
    );
    expect(names).toEqual(
      [...osPlugin.collectors, ...hardwarePlugin.collectors].map(({ name }) => name),
    );
  });

  it('may not have two collectors of one name', () => {
    expect(() => combinePlugins('builtin', [osPlugin, osPlugin])).toThrow(
      'plugin builtin has two collectors',
    );
  });

  it('tell their inventory as one, which is complete when all are', async () => {
    const plugin = (id: string) => ({
      name: id,
      version: '1',
      collectors: [],
      inventory: async (_: unknown, report: { present(it: object): void; complete(): void }) => {
        report.present({ id, type: 'disk' });
        report.complete();
      },
    });
    const both = combinePlugins('builtin', [plugin('a'), plugin('b')]);
    const told: unknown[] = [];
    await both.inventory!({} as never, {
      present: entity => told.push(entity.id),
      gone: id => told.push(`gone ${id}`),
      complete: () => told.push('complete'),
    });
    expect(told).toEqual(['a', 'b', 'complete']);
  });

  it('expose what each would alone', async () => {
    const collector = (name: string) =>
      defineCollector({
        name,
        help: 'A number.',
        defaultEnabled: true,
        open({ metrics }) {
          const series = metrics.gauge({ name: `node_${name}`, help: 'A number.' }).with();
          return () => series.set(1);
        },
      });
    const plugin = (name: string) => ({ name, version: '1', collectors: [collector(name)] });
    const host = new FakeHost(combinePlugins('builtin', [plugin('a'), plugin('b')]));
    const text = await host.collect();
    expect(text).toContain('node_a 1');
    expect(text).toContain('node_b 1');
    host.close();
  });
});
