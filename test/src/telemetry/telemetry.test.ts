// Log lines and self-metrics.

import { describe, expect, it } from 'vitest';
import { newLogger } from '../../../src/telemetry/logger.ts';
import { Registry } from '../../../src/telemetry/metrics.ts';

describe('newLogger', () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);

  it('writes logfmt with quotes where a value needs them', () => {
    lines.length = 0;
    const logger = newLogger({ level: 'info', format: 'logfmt', write, now: () => 0 });
    logger
      .child({ component: 'tsdb' })
      .warn('disk full', { dir: '/var/x', err: new Error('a b'), none: undefined });
    logger.debug('unseen');
    expect(lines).toEqual([
      'time=1970-01-01T00:00:00.000Z level=warn msg="disk full" component=tsdb dir=/var/x err="a b"',
    ]);
  });

  it('writes JSON', () => {
    lines.length = 0;
    newLogger({ level: 'debug', format: 'json', write, now: () => 0 }).debug('x', { a: 1 });
    expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"debug","msg":"x","a":1}']);
  });
});

describe('Registry', () => {
  it('gathers counters, gauges and cumulative histogram buckets', () => {
    const registry = new Registry();
    const requests = registry.counterVector({
      name: 'requests_total',
      help: 'h',
      labelNames: ['code'],
    });
    requests.with('200').inc();
    requests.with('200').inc(2);
    const wait = registry.histogram({ name: 'wait_seconds', help: 'h' }, [0.1, 1]);
    wait.observe(0.1);
    wait.observe(5);
    const [counter, histogram] = registry.gather();
    expect(counter?.samples.map(s => [s.labels.toObject(), s.value])).toEqual([
      [{ code: '200' }, 3],
    ]);
    expect(histogram?.samples.map(s => [s.suffix, s.labels.get('le'), s.value])).toEqual([
      ['_bucket', '0.1', 1],
      ['_bucket', '1', 1],
      ['_bucket', '+Inf', 2],
      ['_sum', '', 5.1],
      ['_count', '', 2],
    ]);
  });

  it('exposes a metric without labels from the start, and one with labels once used', () => {
    const registry = new Registry();
    registry.counter({ name: 'plain_total', help: 'h' });
    registry.gaugeVector({ name: 'labelled', help: 'h', labelNames: ['x'] });
    expect(registry.gather().map(f => f.samples.length)).toEqual([1, 0]);
  });

  it('takes a name once', () => {
    const registry = new Registry();
    registry.gauge({ name: 'x', help: 'h' });
    expect(() => registry.gauge({ name: 'x', help: 'h' })).toThrow(
      'BUG: metric x is registered twice',
    );
  });
});
