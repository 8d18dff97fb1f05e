// Clocks, actors and slices.

import { describe, expect, it } from 'vitest';
import { ManualClock, sleep } from '../../../src/lifecycle/clock.ts';
import { OutpostError } from '../../../src/lifecycle/errors.ts';
import { type Actor, aborted, runGroup } from '../../../src/lifecycle/run-group.ts';
import { Slicer } from '../../../src/lifecycle/slicer.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

describe('ManualClock', () => {
  it('fires due timers in order, including those that timers start', () => {
    const clock = new ManualClock(1000);
    const fired: [string, number][] = [];
    clock.after(20, () => fired.push(['b', clock.now()]));
    clock.after(10, () => {
      fired.push(['a', clock.now()]);
      clock.after(5, () => fired.push(['c', clock.now()]));
    });
    clock.advance(30);
    expect(fired).toEqual([
      ['a', 1010],
      ['c', 1015],
      ['b', 1020],
    ]);
    expect(clock.now()).toBe(1030);
  });

  it('does not fire what was cancelled', () => {
    const clock = new ManualClock();
    const cancel = clock.after(1, () => expect.unreachable());
    cancel();
    clock.advance(10);
  });
});

describe('sleep', () => {
  it('rejects with the reason of the signal', async () => {
    const stop = new AbortController();
    const slept = sleep(new ManualClock(), 1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
  });
});

describe('runGroup', () => {
  const actor = (name: string, log: string[]): Actor => ({
    name,
    async run(signal) {
      await aborted(signal);
      log.push(name);
    },
  });

  it('stops all actors in reverse order when the first one returns', async () => {
    const log: string[] = [];
    const first: Actor = { name: 'done', run: async () => {} };
    await runGroup(
      [actor('a', log), actor('b', log), first],
      new AbortController().signal,
      silentLogger,
    );
    expect(log).toEqual(['b', 'a']);
  });

  it('stops on the outer signal and rethrows the first error', async () => {
    const log: string[] = [];
    const failing: Actor = { name: 'bad', run: () => Promise.reject(new Error('first')) };
    const group = runGroup([actor('a', log), failing], new AbortController().signal, silentLogger);
    await expect(group).rejects.toThrow('first');
    expect(log).toEqual(['a']);
  });
});

describe('Slicer', () => {
  it('is due once its slice is used up, and begins a new one after a pause', async () => {
    let now = 0;
    const slicer = new Slicer(() => now, undefined, 10);
    now = 9;
    expect(slicer.due).toBe(false);
    now = 10;
    expect(slicer.due).toBe(true);
    await slicer.pause();
    expect(slicer.due).toBe(false);
  });

  it('throws what its signal says', async () => {
    const slicer = new Slicer(() => 0, AbortSignal.abort(new DOMException('gone', 'AbortError')));
    await expect(slicer.pause()).rejects.toMatchObject({ code: 'canceled' });
  });
});

describe('OutpostError.from', () => {
  it('keeps its own kind and names the others', () => {
    const own = new OutpostError('bad-data', 'x');
    expect(OutpostError.from(own)).toBe(own);
    expect(OutpostError.from(new DOMException('late', 'TimeoutError')).code).toBe('timeout');
    expect(OutpostError.from('text').code).toBe('internal');
  });
});
