// Real promtool reads what the text writer writes.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { writeFamilies } from '../../src/exposition/dialect.ts';
import { textDialect } from '../../src/exposition/text.ts';
import { Labels } from '../../src/labels/labels.ts';
import { Registry } from '../../src/telemetry/metrics.ts';

const promtool = spawnSync('promtool', ['--version']).status === 0;

test.skipIf(!promtool)(
  promtool ? 'promtool check metrics takes our text without a word' : 'promtool is not installed',
  () => {
    const registry = new Registry();
    const requests = registry.counterVector({
      name: 'outpost_requests_total',
      help: 'Requests, "quoted" \\ and\nbroken.',
      labelNames: ['code', 'path'],
    });
    requests.with('200', 'a"b\\c\nd').inc(5e9);
    registry.gauge({ name: 'outpost_temperature_celsius', help: 'Degrees.' }).set(-1e-7);
    const waits = registry.histogramVector({
      name: 'outpost_wait_seconds',
      help: 'Waits.',
      labelNames: ['kind'],
    });
    waits.with('read').observe(0.3);
    const quantile = Labels.fromObject({ quantile: '0.5' });
    registry.collected({ name: 'outpost_pause_seconds', help: 'Pauses.' }, 'summary', () => [
      { suffix: '', labels: quantile, value: Number.NaN },
      { suffix: '_sum', labels: Labels.empty, value: 1 },
      { suffix: '_count', labels: Labels.empty, value: 2 },
    ]);
    const text = writeFamilies(registry.gather(), textDialect('underscores'));
    const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect({ status: check.status, out: check.stdout, err: check.stderr }).toEqual({
      status: 0,
      out: '',
      err: '',
    });
    const broken = spawnSync('promtool', ['check', 'metrics'], {
      input: text.replace('} 5e+09', '} x'),
    });
    expect(broken.status).not.toBe(0);
  },
);
