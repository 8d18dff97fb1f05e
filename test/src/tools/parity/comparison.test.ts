// Two exporters of one host compared.

import { describe, expect, it } from 'vitest';
import { compareReadings, formatComparison } from '../../../../src/tools/parity/comparison.ts';
import { parseExposedMetrics } from '../../../../src/tools/parity/exposed-metrics.ts';

const reading = (lines: string) => parseExposedMetrics(lines.replace(/^ +/gm, ''));

const OTHER = reading(`# TYPE node_load1 gauge
  node_load1 1.5
  # TYPE node_network_up gauge
  node_network_up{device="lo"} 0
  node_network_up{device="eth0",note=""} 1
  # TYPE node_network_a_total counter
  node_network_a_total 15
  # TYPE node_only_there gauge
  node_only_there 1
  # TYPE go_goroutines gauge
  go_goroutines 7
`);
const ours = (load: number, count: number) =>
  reading(`# TYPE node_load1 untyped
  node_load1 ${load}
  # TYPE node_network_up gauge
  node_network_up{device="eth0"} 1
  # TYPE node_network_a_total counter
  node_network_a_total ${count}
  # TYPE node_more gauge
  node_more 1
`);

describe('a comparison', () => {
  it('takes a value as right where it lies between two readings or not far outside', () => {
    const readings = { before: ours(1.6, 10), other: OTHER, after: ours(1.55, 20) };
    const { rows, differences, additional } = compareReadings(readings, 0.05);
    expect(differences).toEqual([
      'node_load1: unknown instead of gauge',
      'node_network_up{device="lo"}: the agent has no such series',
      'node_only_there: the agent has none',
    ]);
    expect(additional).toEqual(['node_more']);
    expect(rows).toContainEqual({
      group: 'node_network',
      families: 2,
      sameFamilies: 2,
      series: 3,
      sameSeries: 2,
      closeValues: 2,
    });
  });

  it('names a value that is neither', () => {
    const readings = { before: ours(9, 16), other: OTHER, after: ours(9, 20) };
    expect(compareReadings(readings, 0.01).differences).toContain(
      'node_network_a_total: 16 and 20 around 15',
    );
  });

  it('prints a table with a sum', () => {
    const comparison = compareReadings(
      { before: ours(1.5, 10), other: OTHER, after: ours(1.5, 20) },
      0,
    );
    expect(
      formatComparison(comparison),
    ).toBe(`metrics       families  here  series  here  values within drift
node_load1           1     0       1     1                    1
node_network         2     2       3     2                    2
node_only            1     0       1     0                    0
all                  4     2       5     3                    3
1 families of the agent are not there
`);
  });
});
