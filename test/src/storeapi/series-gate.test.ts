import { expect, test } from 'vitest';
import { Gate } from '../../../src/storeapi/series-gate.ts';

const never = new AbortController().signal;

test('as many calls run as there are places, the others in turn', async () => {
  const gate = new Gate(2, 10);
  const log: string[] = [];
  const releases = new Map<string, () => void>();
  const call = (name: string) =>
    gate.run(never, async () => {
      log.push(name);
      await new Promise<void>(resolve => releases.set(name, resolve));
    });
  const calls = ['a', 'b', 'c', 'd'].map(call);
  await Promise.resolve();
  expect(log).toEqual(['a', 'b']);
  expect(gate.waiting).toBe(2);
  releases.get('b')!();
  await calls[1];
  expect(log).toEqual(['a', 'b', 'c']);
  releases.get('a')!();
  await calls[0];
  releases.get('c')!();
  releases.get('d')!();
  await Promise.all(calls);
  expect(gate.waiting).toBe(0);
});

test('where too many wait a call is refused', async () => {
  const gate = new Gate(1, 0);
  let release = (): void => {};
  const first = gate.run(never, () => new Promise<void>(resolve => (release = resolve)));
  await expect(gate.run(never, async () => {})).rejects.toMatchObject({ code: 'limit-exceeded' });
  release();
  await first;
  await expect(gate.run(never, async () => 'free')).resolves.toBe('free');
});

test('a caller that goes while it waits gives up its turn', async () => {
  const gate = new Gate(1, 5);
  let release = (): void => {};
  const first = gate.run(never, () => new Promise<void>(resolve => (release = resolve)));
  const stop = new AbortController();
  const second = gate.run(stop.signal, async () => 'ran');
  const third = gate.run(never, async () => 'third');
  stop.abort(new DOMException('gone', 'AbortError'));
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  release();
  await first;
  await expect(third).resolves.toBe('third');
});

test('a call that fails frees its place', async () => {
  const gate = new Gate(1, 5);
  await expect(gate.run(never, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  await expect(gate.run(never, async () => 1)).resolves.toBe(1);
});
