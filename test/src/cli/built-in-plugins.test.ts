// Which processes the built-in sets of collectors get, and mistakes about them found before any starts.

import { describe, expect, it } from 'vitest';
import type { AgentConfig } from '../../../src/cli/agent-config.ts';
import {
  checkCollectors,
  isShared,
  ownCommand,
  sharedSpecs,
  withDefaultSets,
} from '../../../src/cli/built-in-plugins.ts';

/** Names of the sets that share a process, and of the plugins that do not. */
function placesOf(plugins: AgentConfig['plugins']): [shared: string[], own: string[]] {
  const all = withDefaultSets({ plugins: plugins ?? {} });
  return [
    all.filter(([name, settings]) => isShared(name, settings)).map(([name]) => name),
    all.filter(([name, settings]) => !isShared(name, settings)).map(([name]) => name),
  ];
}

describe('the built-in sets', () => {
  it('share one process', () => {
    expect(placesOf({})).toEqual([['os', 'hardware'], []]);
    const [spec] = sharedSpecs(withDefaultSets({}));
    expect(spec).toMatchObject({ name: 'builtin', command: process.execPath, builtIn: true });
    expect(spec!.args!.map(arg => arg.split('/').slice(-2).join('/'))).toEqual([
      'builtin/main.ts',
      'os',
      'hardware',
    ]);
  });

  it('have a process of their own where it is asked for, or something is said of it', () => {
    expect(placesOf({ hardware: { own_process: true } })).toEqual([['os'], ['hardware']]);
    expect(placesOf({ os: { limits: { cpu: 0.5 } } })).toEqual([['hardware'], ['os']]);
    expect(placesOf({ os: { max_series: 10 } })).toEqual([['hardware'], ['os']]);
    expect(placesOf({ os: { own_process: false } })).toEqual([['os', 'hardware'], []]);
    expect(ownCommand('hardware').args![0]).toMatch(/plugins\/hardware\/main\.ts$/);
  });

  it('are left out where they are disabled, and made way for where a command takes their name', () => {
    expect(placesOf({ hardware: { enabled: false } })).toEqual([['os'], []]);
    expect(placesOf({ os: { enabled: false }, hardware: { enabled: false } })).toEqual([[], []]);
    expect(sharedSpecs([])).toEqual([]);
    expect(placesOf({ hardware: { command: ['mine'] } })).toEqual([['os'], ['hardware']]);
  });

  it('keep the settings of their collectors in the process they share', () => {
    const plugins: AgentConfig['plugins'] = {
      os: { collectors: { cpu: { enabled: false } } },
      hardware: { collectors: { hwmon: { options: { chipExclude: 'acpi' } } } },
    };
    expect(sharedSpecs(withDefaultSets({ plugins }))[0]!.collectors).toEqual({
      cpu: { enabled: false },
      hwmon: { options: { chipExclude: 'acpi' } },
    });
  });

  it('are what a plugin without a command must be', () => {
    expect(() => ownCommand('hardwar')).toThrow(
      'plugins.hardwar needs a command; built in and without one are: os, hardware; did you mean "hardware"?',
    );
  });
});

describe('a mistake about a built-in collector', () => {
  const problem = (plugins: AgentConfig['plugins']) => checkCollectors({ plugins: plugins ?? {} });

  it('is refused with its key and what was meant', async () => {
    const refused = problem({ os: { collectors: { loadvag: { enabled: false } } } });
    await expect(refused).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringMatching(
        /^plugins\.os\.collectors\.loadvag is not a collector of plugin os; it has: .*; did you mean "loadavg"\?$/,
      ),
      cause: { keys: ['plugins', 'os', 'collectors', 'loadvag'] },
    });
  });

  it('is refused in the set it is not of', async () => {
    await expect(problem({ os: { collectors: { hwmon: {} } } })).rejects.toThrow(
      'plugins.os.collectors.hwmon is not a collector of plugin os',
    );
  });

  it('is refused in an option', async () => {
    const options = { chipExclude: '(' };
    await expect(problem({ hardware: { collectors: { hwmon: { options } } } })).rejects.toThrow(
      'plugins.hardware.collectors.hwmon.options.chipExclude is no regular expression',
    );
  });

  it('is the business of a plugin with a command', async () => {
    const own = { command: ['mine'], collectors: { anything: {} } };
    await expect(problem({ os: own, other: own })).resolves.toBeUndefined();
  });
});
