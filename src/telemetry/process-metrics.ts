// A process about itself: build, memory, CPU, event loop, under the names the field uses.

import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Labels } from '../labels/labels.ts';
import type { Registry } from './metrics.ts';

/** Registers the process metrics. `startTime` is Unix ms. The returned function ends the measuring. */
export function registerProcessMetrics(
  registry: Registry,
  version: string,
  startTime: number,
): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  registry.collected(
    { name: 'outpost_build_info', help: 'Always 1; the labels say which build this is.' },
    'gauge',
    () => [
      {
        suffix: '',
        labels: Labels.fromObject({ version, nodeversion: process.version }),
        value: 1,
      },
    ],
  );
  const counter = (name: string, help: string, read: () => number): void =>
    registry.observed({ name, help }, 'counter', read);
  const gauge = (name: string, help: string, read: () => number): void =>
    registry.observed({ name, help }, 'gauge', read);
  counter('process_cpu_seconds_total', 'User and system CPU time spent.', () => {
    const usage = process.cpuUsage();
    return (usage.user + usage.system) / 1e6;
  });
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'Start of the process, Unix time.', () => startTime / 1000);
  gauge('process_open_fds', 'Open file descriptors.', openDescriptors);
  gauge('process_max_fds', 'Most file descriptors the process may open.', descriptorLimit);
  gauge(
    'nodejs_heap_size_used_bytes',
    'JavaScript heap in use.',
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers outside the heap.',
    () => process.memoryUsage().external,
  );
  gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'Event loop delay since the last reading, 99th percentile.',
    () => delay.percentile(99) / 1e9,
  );
  gauge(
    'nodejs_eventloop_lag_max_seconds',
    'Longest event loop delay since the last reading.',
    () => {
      const max = delay.max / 1e9;
      delay.reset();
      return max;
    },
  );
  return () => delay.disable();
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN; // not Linux
  }
}

function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line ? Number(line[1]) : Number.NaN;
  } catch {
    return Number.NaN; // not Linux
  }
}
