// What a plugin may have beyond collectors, in a host that is none.

import { describe, expect, it } from 'vitest';
import { EventStream, type SentEvent } from '../../../plugins/sdk/event-stream.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { featuredPlugin } from '../host/plugins/featured-plugin.ts';

const newHost = (options: Record<string, unknown> = {}): FakeHost =>
  new FakeHost(featuredPlugin, {
    collectors: { featured: { options } },
    answers: { up: [{ labels: {}, value: 1, time: 5 }] },
  });

describe('a fake host', () => {
  it('answers queries, and shows what became of the answers', async () => {
    expect(await newHost().collect()).toContain('featured_answer 1\n');
    const mute = new FakeHost(featuredPlugin);
    expect(await mute.collect()).toContain('featured_answer -2\n');
  });

  it('probes', async () => {
    expect(await newHost().probe()).toEqual([
      { name: 'featured', instance: '', found: { outcome: 'ok', message: 'all is here' } },
    ]);
    const [probed] = await newHost({ low: 0 }).probe();
    expect(probed!.found).toEqual({ outcome: 'missing-permission', message: 'CAP_SYSLOG' });
  });

  it('refuses options that do not go together', () => {
    expect(() => newHost({ low: 10 })).toThrow(
      'collectors.featured.options.low must be at most high (9)',
    );
  });

  it('takes events, and lets sources resume', async () => {
    const host = newHost();
    const events = await host.events(3);
    expect(events.map(({ seq, message, cursor }) => [seq, message, cursor])).toEqual([
      [1, 'tick 1', '{"featured":"1"}'],
      [2, 'tick 2', '{"featured":"2"}'],
      [3, 'tick 3', '{"featured":"3"}'],
    ]);
    const later = await newHost().events(1, { resumeAfter: '{"featured":"2"}' });
    expect(later.map(({ message }) => message)).toEqual(['tick 3']);
    host.close();
  });

  it('runs functions with checked arguments', async () => {
    const host = newHost();
    expect(await host.call('echo', { say: 'x', times: 2 })).toEqual([
      { i: 0, say: 'x' },
      { i: 1, say: 'x' },
    ]);
    await expect(host.call('echo', { times: -1 })).rejects.toThrow('times must be a number from 0');
    await expect(host.call('nothing')).rejects.toThrow('there is no function "nothing"');
  });

  it('keeps state and lines of the log', async () => {
    const host = newHost();
    expect(await host.call('remember', { word: 'one' })).toEqual([null]);
    expect(await host.call('remember', { word: 'two' })).toEqual(['one']);
    expect(host.logged.at(-1)).toEqual({ level: 'warn', message: 'remembering two' });
  });

  it('shows the inventory and what is captured', async () => {
    const host = newHost();
    expect((await host.inventory()).map(({ id }) => id)).toContain('a');
    expect((await host.capture('disk full', 99))['trigger.txt']).toBe('disk full 99');
    host.close();
  });
});

describe('a stream of events', () => {
  const newStream = () => {
    const lost: number[] = [];
    return { stream: new EventStream(new ManualClock(7), count => lost.push(count)), lost };
  };
  const newCall = (resumeAfter = '', unackedMax = 0) => {
    const sent: SentEvent[] = [];
    const send = (events: readonly SentEvent[]) => void sent.push(...events.map(e => ({ ...e })));
    return { sent, resumeAfter, unackedMax, send };
  };
  const emit = (stream: EventStream, i: number) =>
    stream.emit('s', { name: 'e', message: `m${i}`, cursor: String(i) });

  it('sends what is not acknowledged again on a new call, numbered from one', async () => {
    const { stream } = newStream();
    const first = newCall();
    stream.open(first);
    for (let i = 1; i <= 4; i++) await emit(stream, i);
    expect(first.sent.map(({ seq, time }) => [seq, time])).toEqual([
      [1, 7],
      [2, 7],
      [3, 7],
      [4, 7],
    ]);
    stream.acknowledge(first, 2);
    expect(stream.length).toBe(2);
    stream.close(first);
    const second = newCall('{"s":"2"}');
    stream.open(second);
    expect(second.sent.map(({ seq, message }) => [seq, message])).toEqual([
      [1, 'm3'],
      [2, 'm4'],
    ]);
    stream.acknowledge(first, 99);
    expect(stream.length).toBe(2);
  });

  it('does not repeat what the host has kept although its acknowledgement was lost', async () => {
    const { stream } = newStream();
    stream.open(newCall());
    for (let i = 1; i <= 4; i++) await emit(stream, i);
    const second = newCall('{"s":"3"}');
    stream.open(second);
    expect(second.sent.map(({ message }) => message)).toEqual(['m4']);
  });

  it('has no more on their way than the host allows', async () => {
    const { stream } = newStream();
    const call = newCall('', 3);
    stream.open(call);
    for (let i = 1; i <= 10; i++) void emit(stream, i);
    expect(call.sent).toHaveLength(3);
    stream.acknowledge(call, 2);
    expect(call.sent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('lets a source that waits lose nothing, and counts what others lose', async () => {
    const { stream, lost } = newStream();
    let waits = true;
    for (let i = 1; i < 2048; i++) await emit(stream, i);
    emit(stream, 2048).then(() => {
      waits = false;
    });
    await Promise.resolve();
    expect(waits).toBe(true);
    for (let i = 2049; i <= 5000; i++) void emit(stream, i);
    expect(stream.length).toBe(4096);
    const call = newCall('', 10_000);
    stream.open(call);
    expect(lost).toEqual([]);
    stream.acknowledge(call, 4000);
    await Promise.resolve();
    expect(waits).toBe(false);
    expect(lost).toEqual([904]);
  });
});
