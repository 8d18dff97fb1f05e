import { describe, expect, test } from 'vitest';
import { Reloader } from '../../../src/cli/reload.ts';
import { Notifications } from '../../../src/httpapi/notifications.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';

interface Config {
  readonly labels?: Readonly<Record<string, string>>;
  readonly storage?: { readonly time?: string; readonly size?: string };
}

const START: Config = { labels: { a: '1' }, storage: { time: '1d' } };

function reloading(read: (() => Config) | null) {
  let now = 1000;
  const applied: Config[] = [];
  const notifications = new Notifications(() => now);
  const registry = new Registry();
  const reloader = new Reloader<Config>({
    ...{ read, config: START, live: ['labels'], logger: silentLogger, registry, notifications },
    now: () => now++,
    apply: config => void applied.push(config),
  });
  const metric = (): number[] => registry.gather().map(family => family.samples[0]!.value);
  const told = (): string[] => notifications.list().map(({ text }) => text);
  return { reloader, applied, metric, told };
}

describe('reading the configuration again', () => {
  test('applies what can change at once and names what needs a restart, until it is undone', async () => {
    let next: Config = { labels: { a: '2' }, storage: { time: '2d', size: '1GB' } };
    const { reloader, applied, told } = reloading(() => next);
    expect(await reloader.reload()).toBe(
      'applied: labels.a\nneeds a restart: storage.size, storage.time\n',
    );
    expect([applied, told()]).toEqual([
      [next],
      ['The configuration file has changes that need a restart.'],
    ]);
    expect(await reloader.reload()).toBe(
      'applied: nothing has changed\nneeds a restart: storage.size, storage.time\n',
    );
    next = { ...START, labels: {} };
    expect(await reloader.reload()).toBe('applied: labels.a\n');
    expect([told(), reloader.config()]).toEqual([[], next]);
  });

  test('changes nothing where the file has a mistake, and says so until it is mended', async () => {
    let mistake: OutpostError | null = new OutpostError('bad-data', 'x.yaml:3:1: unknown key "b"');
    const { reloader, applied, metric, told } = reloading(() => {
      if (mistake) throw mistake;
      return START;
    });
    await expect(reloader.reload()).rejects.toThrow('x.yaml:3:1: unknown key "b"');
    expect([applied, reloader.config(), reloader.succeeded, metric(), told()]).toEqual([
      [],
      START,
      false,
      [0, 1],
      ['Configuration reload has failed.'],
    ]);
    mistake = null;
    await reloader.reload();
    expect([metric()[0], told()]).toEqual([1, []]);
  });

  test('has nothing to read without a file', async () => {
    expect(await reloading(null).reloader.reload()).toMatch(/^there is no configuration file/);
  });
});
