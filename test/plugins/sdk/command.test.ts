// Programs run by collectors: what they print, and what becomes of those that misbehave.

import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { NoDataError } from '../../../plugins/sdk/collector.ts';
import { type CommandOptions, runCommand } from '../../../plugins/sdk/command.ts';
import { ManualClock, systemClock } from '../../../src/lifecycle/clock.ts';

const OPTIONS: CommandOptions = { clock: systemClock, timeoutMs: 30_000 };
const script = (text: string, options: Partial<CommandOptions> = {}) =>
  runCommand('sh', ['-c', text], { ...OPTIONS, ...options });

describe('a program', () => {
  it('brings its output, what it says of its trouble, and its exit code', async () => {
    expect(await script('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('gets its arguments as they are', async () => {
    const { stdout } = await runCommand('printf', ['%s', '$HOME; a b'], OPTIONS);
    expect(stdout).toBe('$HOME; a b');
  });

  it('knows nothing of our environment and has no input', async () => {
    const { stdout } = await script('env | cut -d= -f1 | sort | tr "\\n" " "; cat');
    expect(stdout.split(' ').filter(name => !['PWD', 'SHLVL', '_', ''].includes(name))).toEqual([
      'LC_ALL',
      'PATH',
    ]);
  });

  it('runs in the lowest priority', async () => {
    const { stdout } = await script('while [ "$(ps -o ni= -p $$)" -lt 19 ]; do :; done; echo low');
    expect(getPriority()).toBeLessThan(19);
    expect(stdout).toBe('low\n');
  });

  it('that is not installed is no error of the host', async () => {
    const absent = runCommand('no-such-program', [], OPTIONS);
    await expect(absent).rejects.toBeInstanceOf(NoDataError);
    await expect(absent).rejects.toThrow('no-such-program is not installed');
  });

  it('is killed at its deadline, with children that hold its output open', async () => {
    const clock = new ManualClock();
    const running = script('sleep 20 & wait', { clock, timeoutMs: 5000 });
    clock.advance(5001);
    await expect(running).rejects.toThrow(/^run sh -c .*: it took more than 5 s$/);
  });

  it('is killed when it prints too much', async () => {
    await expect(script('yes', { bytesMax: 100_000 })).rejects.toThrow(
      'it printed more than 100000 bytes',
    );
  });

  it('is ended with its collector', async () => {
    const ending = new AbortController();
    const running = script('exec sleep 600', { signal: ending.signal });
    ending.abort();
    await expect(running).rejects.toThrow('it was ended');
  });

  it('that kills itself is told so', async () => {
    await expect(script('kill -9 $$')).rejects.toThrow('it was killed by SIGKILL');
  });
});
