import { expect, it } from 'vitest';
import { CpuMeter } from '../../../plugins/sdk/cpu-meter.ts';

function burn(ms: number): void {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < ms * 1000);
}

it('tells the CPU time of each lap, and nothing of what was before the start', () => {
  const meter = new CpuMeter();
  burn(30);
  meter.start();
  burn(20);
  const first = meter.lap();
  const second = meter.lap();
  expect(first).toBeGreaterThanOrEqual(0.02);
  expect(second).toBeLessThan(first);
  burn(20);
  expect(meter.lap()).toBeGreaterThanOrEqual(0.02);
});
