import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { Gate } from '../../../src/promql/gate.ts';

const never = new AbortController().signal;

function newGate(options: Partial<ConstructorParameters<typeof Gate>[0]> = {}) {
  const clock = new ManualClock(0);
  const gate = new Gate({ clock, concurrencyMax: 2, waitingMax: 10, waitMs: 1000, ...options });
  const order: string[] = [];
  const enter = (source: string, signal = never): Promise<void> => {
    const done = gate.enter(signal, source).then(
      () => void order.push(source),
      error => void order.push(`${source}: ${error.code}: ${error.message}`),
    );
    return done;
  };
  return { gate, clock, order, enter };
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('places', () => {
  it('go to the source with the fewest, however many another has waiting', async () => {
    const { gate, order, enter } = newGate();
    for (let i = 0; i < 6; i++) enter('panel');
    enter('other');
    await turn();
    expect(order).toEqual(['panel', 'panel']);
    for (let i = 0; i < 3; i++) {
      gate.leave('panel');
      await turn();
    }
    expect(order).toEqual(['panel', 'panel', 'other', 'panel', 'panel']);
  });

  it('go round between sources that have equally many', async () => {
    const { gate, order, enter } = newGate({ concurrencyMax: 1 });
    for (const source of ['a', 'a', 'a', 'b', 'b', 'c']) enter(source);
    await turn();
    while (gate.running > 0) {
      gate.leave(order.at(-1));
      await turn();
    }
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'a']);
  });
});

describe('waiting', () => {
  it('ends after its longest time, and the place goes to those who still wait', async () => {
    const { gate, clock, order, enter } = newGate({ concurrencyMax: 1 });
    enter('a');
    enter('b');
    await turn();
    clock.advance(1000);
    await turn();
    expect(order).toEqual([
      'a',
      'b: timeout: query timed out in query queue: no place within 1s, set by --query.max-wait',
    ]);
    enter('c');
    gate.leave('a');
    await turn();
    expect(order.at(-1)).toBe('c');
    expect([gate.running, gate.waiting]).toEqual([1, 0]);
  });

  it('is refused to those who are too many', async () => {
    const { order, enter } = newGate({ concurrencyMax: 1, waitingMax: 1 });
    for (let i = 0; i < 3; i++) enter('a');
    await turn();
    expect(order).toEqual([
      'a',
      'a: unavailable: too many queries wait for a place: the limit is 1, set by --query.max-waiting; try again later',
    ]);
  });

  it('makes room for a source with few by turning away the last of the one with most', async () => {
    const { gate, order, enter } = newGate({ concurrencyMax: 1, waitingMax: 3 });
    for (let i = 0; i < 4; i++) enter('many');
    enter('few');
    await turn();
    expect(order.map(text => text.slice(0, 18))).toEqual(['many', 'many: unavailable:']);
    gate.leave('many');
    await turn();
    expect(order.at(-1)).toBe('few');
  });

  it('ends when the caller goes away', async () => {
    const { gate, order, enter } = newGate({ concurrencyMax: 1 });
    const gone = new AbortController();
    enter('a');
    enter('b', gone.signal);
    await turn();
    gone.abort(new DOMException('gone', 'AbortError'));
    await turn();
    expect(order).toEqual(['a', 'b: canceled: gone']);
    expect(gate.waiting).toBe(0);
  });
});
