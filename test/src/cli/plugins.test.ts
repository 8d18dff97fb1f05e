// What the mains decide about plugins: their manifests, their processes, where their sockets are, when the
// configuration is read again.

import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RejectedKeys } from '../../../plugins/host/rejected-keys.ts';
import { placeOfKeys } from '../../../src/cli/config-file.ts';
import { CONFIG_WATCH_MS, configWatch } from '../../../src/cli/config-watch.ts';
import { processSpec } from '../../../src/cli/plugin-config.ts';
import { manifestPaths, withManifests } from '../../../src/cli/plugin-manifests.ts';
import { placedMistake } from '../../../src/cli/plugin-mistake.ts';
import { socketPlace } from '../../../src/cli/socket-place.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';

let folder = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'outpost-cli-')));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function manifest(path: string, text: string): string {
  const full = join(folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text);
  return full;
}

describe('manifests', () => {
  test('are plugins by being there; the file wins, key by key', () => {
    manifest(
      'a/plugin.yaml',
      'name: alpha\nversion: 1.2\nexec: ./run\nargs: [-x]\nmax_series: 10\n'.replace(
        '1.2',
        '"1.2"',
      ),
    );
    manifest('a/notes.yaml', 'not: read\n');
    manifest('b.yml', 'name: beta\nexec: node\ncollectors: {c: {enabled: true}}\n');
    manifest('README', 'neither');
    const config = withManifests(
      {
        global: { collect_interval: '5s' },
        plugins: { alpha: { enabled: false, max_series: 20 }, gamma: { command: ['g'] } },
      },
      folder,
    );
    expect(config).toEqual({
      global: { collect_interval: '5s' },
      plugins: {
        alpha: { command: [join(folder, 'a/run'), '-x'], enabled: false, max_series: 20 },
        beta: { command: ['node'], collectors: { c: { enabled: true } } },
        gamma: { command: ['g'] },
      },
    });
    expect(manifestPaths(folder)).toEqual([join(folder, 'a/plugin.yaml'), join(folder, 'b.yml')]);
  });

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['what is unknown', 'name: a\nexec: b\nargz: []\n', /a\.yaml:3:1: unknown key "argz".*"args"/],
    ['what is missing', 'name: a\n', /a\.yaml:1:1: /],
    ['a digest that is none', 'name: a\nexec: b\nsha256: abc\n', /a\.yaml:3:1: "sha256" is 'abc'/],
  ];
  for (const [what, text, message] of mistakes) {
    test(`are refused for ${what}, with line and column`, () => {
      manifest('a.yaml', text);
      expect(() => withManifests({}, folder)).toThrow(message);
    });
  }

  test('have names of their own, and a directory that is there', () => {
    manifest('a.yaml', 'name: same\nexec: b\n');
    manifest('b.yaml', 'name: same\nexec: b\n');
    expect(() => withManifests({}, folder)).toThrow('b.yaml: there is a plugin "same" already: ');
    expect(() => withManifests({}, join(folder, 'absent'))).toThrow('read --plugins.dir');
    expect(withManifests({ plugins: {} }, undefined)).toEqual({ plugins: {} });
  });

  test('are not believed by root when others can write them', ({ skip }) => {
    if (process.getuid?.() !== 0) skip('needs root');
    chmodSync(manifest('a.yaml', 'name: a\nexec: b\n'), 0o666);
    expect(() => withManifests({}, folder)).toThrow(/a\.yaml: .*can be written by everybody/);
  });
});

describe('settings of a plugin’s process', () => {
  test('reach the host in its units', () => {
    expect(
      processSpec({
        env: { TZ: 'UTC' },
        sha256: 'ab',
        user: 'nobody',
        capabilities: ['syslog'],
        limits: { memory: '1MiB', cpu: 0.5, processes: 3, answer_size: 0, samples_per_second: 9 },
      }),
    ).toEqual({
      env: { TZ: 'UTC' },
      sha256: 'ab',
      user: 'nobody',
      capabilities: ['syslog'],
      limits: {
        ...{ memoryBytes: 1024 * 1024, cpuCores: 0.5, pids: 3 },
        ...{ answerBytes: Infinity, samplesPerSecond: 9 },
      },
    });
    expect(processSpec({})).toEqual({});
  });
});

describe('the place of sockets', () => {
  const long = `/srv/${'x'.repeat(60)}`;

  test('is in the data directory where its path is short, else in the runtime directory', () => {
    expect(socketPlace('/var/lib/outpost', '/run/user/1').socketDir).toBe('/var/lib/outpost/run');
    expect(socketPlace(long, '/run/user/1').socketDir).toMatch(
      /^\/run\/user\/1\/outpost-[0-9a-f]{12}$/,
    );
    expect(socketPlace(long, undefined).socketDir).toMatch(/\/outpost-[0-9a-f]{12}$/);
    expect(socketPlace(long, long).socketDir).toMatch(/^\/tmp\/outpost-[0-9a-f]{12}$/);
  });

  test('is the same for the same data directory, and another for another', () => {
    expect(socketPlace(`${long}/../${'x'.repeat(60)}/`, undefined)).toEqual(
      socketPlace(long, undefined),
    );
    expect(socketPlace(long, undefined)).not.toEqual(socketPlace(`${long}y`, undefined));
  });
});

describe('the place of keys', () => {
  test('is that of the nearest key above, in a file that knows the first ones', () => {
    const path = manifest(
      'c.yaml',
      'plugins:\n  os:\n    collectors:\n      cpu:\n        options: {}\n',
    );
    const place = (...keys: string[]) => placeOfKeys(path, keys, 2);
    expect(place('plugins', 'os', 'collectors', 'cpu', 'options', 'x')).toBe(`${path}:5:9`);
    expect(place('plugins', 'os', 'collectors', 'disk')).toBe(`${path}:3:5`);
    expect(place('plugins', 'other')).toBe(null);
    expect(placeOfKeys(join(folder, 'absent'), ['plugins'], 1)).toBe(null);
  });
});

describe('a mistake that a plugin found', () => {
  const rejected = (...keys: string[]) =>
    new OutpostError('bad-data', `${keys.join('.')} is wrong`, { cause: new RejectedKeys(keys) });
  const told = (error: OutpostError, ...plugins: string[]): string => {
    const path = manifest(
      'c.yaml',
      'plugins:\n  os:\n    collectors:\n      cpu: {}\n  my:\n    x: 1\n',
    );
    const placed = placedMistake(error, path, plugins) as OutpostError;
    expect(placed.code).toBe('bad-data');
    return placed.message.replace(`${folder}/`, '');
  };

  test('has its line and column, also where several plugins share a process', () => {
    expect(told(rejected('plugins', 'my', 'collectors', 'a'))).toBe(
      'c.yaml:5:3: plugins.my.collectors.a is wrong',
    );
    const shared = rejected('plugins', 'builtin', 'collectors', 'cpu', 'options', 'q');
    expect(told(shared, 'my', 'os')).toBe(
      'c.yaml:4:7: plugins.os.collectors.cpu.options.q is wrong',
    );
  });

  test('stays as it is where it is not in the file', () => {
    const elsewhere = rejected('plugins', 'other', 'collectors', 'cpux');
    expect(told(elsewhere, 'os')).toBe('plugins.other.collectors.cpux is wrong');
    const other = new OutpostError('unavailable', 'it does not run');
    expect(placedMistake(other, 'c.yaml', [])).toBe(other);
    expect(placedMistake(elsewhere, undefined, [])).toBe(elsewhere);
  });
});

describe('the watch over the configuration', () => {
  test('reads again what has changed and then stayed the same', async () => {
    const path = manifest('c.yaml', 'a: 1\n');
    const clock = new ManualClock();
    let reloads = 0;
    const reloader = {
      reload: () => {
        reloads++;
        return Promise.reject(new Error('a mistake'));
      },
    };
    const stop = new AbortController();
    const done = configWatch({ files: () => [path], reloader, clock }).run(stop.signal);
    const look = async (): Promise<number> => {
      clock.advance(CONFIG_WATCH_MS);
      for (let i = 0; i < 10; i++) await Promise.resolve();
      return reloads;
    };
    expect([await look(), await look()]).toEqual([0, 0]);
    writeFileSync(path, 'a: 12\n');
    expect(await look()).toBe(0);
    writeFileSync(path, 'a: 123\n');
    expect([await look(), await look(), await look(), await look()]).toEqual([0, 1, 1, 1]);
    rmSync(path);
    expect([await look(), await look(), await look()]).toEqual([1, 2, 2]);
    stop.abort();
    await done;
  });
});
