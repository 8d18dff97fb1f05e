import { describe, expect, test } from 'vitest';
import type { TargetGroup } from '../../../src/discovery/discoverer.ts';
import { compileRelabel, RELABEL_DEFAULTS, type RelabelRule } from '../../../src/labels/relabel.ts';
import type { ScrapeConfig } from '../../../src/scrape/config.ts';
import { offsetOf, targetsOf } from '../../../src/scrape/target.ts';
import { scrapeJob } from '../../fakes/scrape-config.ts';

const group = (...targets: Record<string, string>[]): TargetGroup => ({
  source: 's',
  targets,
  labels: { zone: 'a', __meta_x: 'm' },
});

function made(
  groups: TargetGroup[],
  rules: Partial<RelabelRule>[] = [],
  changes: Partial<ScrapeConfig> = {},
) {
  const relabel = compileRelabel(rules.map(rule => ({ ...RELABEL_DEFAULTS, ...rule })));
  return targetsOf(groups, scrapeJob(changes), relabel);
}

describe('targets', () => {
  test('have the labels of job, group and themselves, and none that are hidden', () => {
    const { active } = made([group({ __address__: 'h:1', zone: 'b', c: 'd' })]);
    expect(active[0]!.labels.toObject()).toEqual({ instance: 'h:1', job: 'j', zone: 'b', c: 'd' });
    expect(active[0]!.discoveredLabels.toObject()).toEqual({
      __address__: 'h:1',
      __meta_x: 'm',
      __metrics_path__: '/metrics',
      __scheme__: 'http',
      __scrape_interval__: '10s',
      __scrape_timeout__: '5s',
      c: 'd',
      job: 'j',
      zone: 'b',
    });
    expect(active[0]!.url).toBe('http://h:1/metrics');
  });

  test('are what relabelling makes of them: address, path, scheme, parameters, times, socket', () => {
    const set = (targetLabel: string, replacement: string): Partial<RelabelRule> => ({
      targetLabel,
      replacement,
    });
    const { active } = made(
      [group({ __address__: 'h:1' })],
      [
        set('__address__', 'other:9'),
        set('__metrics_path__', '/probe'),
        set('__scheme__', 'https'),
        set('__param_target', 'x y'),
        set('__scrape_interval__', '1m'),
        set('__scrape_timeout__', '20s'),
        set('__unix_socket__', '/run/x.sock'),
      ],
      { params: { target: ['1', '2'], module: ['m'] } },
    );
    const [{ url, intervalMs, timeoutMs, socketPath, labels }] = active as [(typeof active)[0]];
    expect([url, intervalMs, timeoutMs, socketPath, labels.get('instance')]).toEqual([
      'https://other:9/probe?module=m&target=x+y&target=2',
      60_000,
      20_000,
      '/run/x.sock',
      'other:9',
    ]);
  });

  test('that are equal are one; dropped ones are remembered; others say what is wrong', () => {
    const { active, dropped, problems } = made(
      [
        group({ __address__: 'h:1' }, { __address__: 'h:1' }, { __address__: 'h:2' }),
        group({ a: 'b' }),
      ],
      [{ action: 'drop', sourceLabels: ['__address__'], regex: 'h:2' }],
    );
    expect(active).toHaveLength(1);
    expect(dropped.map(labels => labels.get('__address__'))).toEqual(['h:2']);
    expect(problems).toEqual([': it has no address']);
  });

  test.each([
    ['__address__', 'h/x', '"h/x" is not a host and port'],
    ['__scrape_interval__', '0s', 'its scrape interval is not a duration above 0'],
    ['__scrape_timeout__', 'x', 'its scrape timeout is not a duration above 0'],
    ['__scrape_timeout__', '11s', 'its scrape timeout is longer than its scrape interval'],
    ['__scheme__', 'ftp', '"h:1" is not a host and port'],
  ])('with %s %s cannot be used', (targetLabel, replacement, reason) => {
    const { active, problems } = made(
      [group({ __address__: 'h:1' })],
      [{ targetLabel, replacement }],
    );
    expect([active, problems]).toEqual([[], [`h:1: ${reason}`]]);
  });

  test('have offsets that are spread over the interval and always the same', () => {
    const targets = Array.from({ length: 200 }, (_, i) => ({ __address__: `h:${i}` }));
    const { active } = made([group(...targets)]);
    const offsets = active.map(target => offsetOf(target, 1));
    expect(offsets).toEqual(made([group(...targets)]).active.map(target => offsetOf(target, 1)));
    expect(offsets).not.toEqual(active.map(target => offsetOf(target, 2)));
    const tenths = new Set(offsets.map(offset => Math.floor(offset / 1000)));
    expect([Math.min(...tenths), Math.max(...tenths), tenths.size]).toEqual([0, 9, 10]);
  });
});
