// CPU times from /proc/stat, with thermal throttling, isolation and, where asked for, identity. Names and
// rules are those of node_exporter's cpu collector.

import { join } from 'node:path';
import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { type Collect, type CollectorContext, defineCollector } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { flag, pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { Cadence } from './cadence.ts';
import { openCpuInfo } from './cpu-info.ts';

/** The kernel counts CPU time in hundredths of a second for user space, whatever its own tick is. */
const TICKS_PER_SECOND = 100;
/** An idle counter that falls this far belongs to a CPU that was taken out and put back. */
const HOTPLUG_TICKS = 3 * TICKS_PER_SECOND;
/** The columns of a cpu line, in order; the last two are the guests' share. */
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const GUEST_MODES = ['user', 'nice'] as const;
const IDLE = 3;
/** How late the counters of a CPU that came back are seen. */
const RESCAN_MS = 60_000;
const COLUMNS = MODES.length + GUEST_MODES.length;

const OPTIONS = {
  guest: flag('Expose the time spent in guests.', true),
  info: flag('Expose node_cpu_info and the frequency that /proc/cpuinfo tells.', false),
  flagsInclude: pattern('CPU flags to expose as node_cpu_flag_info; turns info on.', ''),
  bugsInclude: pattern('CPU bugs to expose as node_cpu_bug_info; turns info on.', ''),
};

export const cpu = defineCollector({
  name: 'cpu',
  help: 'Time each CPU spent in each mode, throttling, isolation, identity.',
  defaultEnabled: true,
  options: OPTIONS,
  open(context) {
    const { files, options } = context;
    const stat = files.proc('stat');
    const info = options.info || options.flagsInclude !== null || options.bugsInclude !== null;
    const parts: Collect[] = [openTimes(stat, context)];
    if (info) parts.push(openCpuInfo(context));
    parts.push(openIsolated(context), openThrottles(context), openOnline(context));
    return time => {
      for (const part of parts) part(time);
    };
  },
});

/** The counters of one CPU in ticks, never falling except at a hotplug. */
export class CpuTicks {
  readonly ticks: Float64Array = new Float64Array(COLUMNS);

  /** Takes the rest of a cpu line. A counter that fell keeps its old value; columns not there stay 0. */
  update(line: ByteScanner, read: Float64Array): void {
    for (let i = 0; i < COLUMNS; i++) read[i] = line.number();
    if (this.ticks[IDLE]! - read[IDLE]! >= HOTPLUG_TICKS) this.ticks.fill(0);
    for (let i = 0; i < COLUMNS; i++) {
      if (read[i]! > this.ticks[i]!) this.ticks[i] = read[i]!;
    }
  }
}

interface CpuRow {
  readonly counters: CpuTicks;
  readonly series: readonly Series[];
}

function openTimes(stat: PseudoFile, context: CollectorContext<typeof OPTIONS>): Collect {
  const { metrics, options } = context;
  const seconds = metrics.counter({
    name: 'node_cpu_seconds_total',
    help: 'Time the CPU spent in the mode.',
    unit: 'seconds',
    labels: ['cpu', 'mode'],
  });
  const guest = metrics.counter({
    name: 'node_cpu_guest_seconds_total',
    help: 'Time the CPU spent running guests (virtual machines), by mode; user and nice include it.',
    unit: 'seconds',
    labels: ['cpu', 'mode'],
  });
  const rows = new RowCache<CpuRow>(name => {
    const number = name.slice('cpu'.length);
    const series = MODES.map(mode => seconds.with(number, mode));
    if (options.guest) series.push(...GUEST_MODES.map(mode => guest.with(number, mode)));
    return { counters: new CpuTicks(), series };
  });
  const read = new Float64Array(COLUMNS);
  return () => {
    const scanner = stat.read();
    for (let position = 0; scanner.line() && scanner.word() && scanner.startsWith('cpu'); ) {
      if (scanner.is('cpu')) continue;
      const { counters, series } = rows.at(position++, scanner);
      counters.update(scanner, read);
      for (let i = 0; i < series.length; i++) series[i]!.set(counters.ticks[i]! / TICKS_PER_SECOND);
    }
    rows.sweep();
  };
}

/** Reads a kernel CPU list such as "1,3-5,9". */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-').map(Number);
    if (part === '' || !Number.isInteger(first) || !Number.isInteger(last)) continue;
    for (let cpu = first!; cpu <= last!; cpu++) cpus.push(cpu);
  }
  return cpus;
}

function openIsolated({ files, metrics }: { files: Files; metrics: Metrics }): Collect {
  const isolated = metrics.gauge({
    name: 'node_cpu_isolated',
    help: 'Whether the scheduler leaves the CPU alone (1), from /sys/devices/system/cpu/isolated.',
    labels: ['cpu'],
  });
  // Isolation is decided at boot.
  const text = files.text(join(files.roots.sysfs, 'devices/system/cpu/isolated')) ?? '';
  const series = parseCpuList(text).map(number => isolated.with(String(number)));
  return () => {
    for (const one of series) one.set(1);
  };
}

interface Throttle {
  readonly file: PseudoFile;
  readonly series: Series;
}

function openThrottles({ files, metrics }: { files: Files; metrics: Metrics }): Collect {
  const cores = metrics.counter({
    name: 'node_cpu_core_throttles_total',
    help: 'Times the core was slowed down because it was hot.',
    labels: ['package', 'core'],
  });
  const packages = metrics.counter({
    name: 'node_cpu_package_throttles_total',
    help: 'Times the whole package was slowed down because it was hot.',
    labels: ['package'],
  });
  const throttles = new Map<string, Throttle>();
  const add = (key: string, path: string, series: () => Series): void => {
    const file = files.file(path);
    // The first CPU of a core or package that has the counter speaks for it.
    if (throttles.has(key) || Number.isNaN(file.readNumber())) files.forget(file);
    else throttles.set(key, { file, series: series() });
  };
  const rescan = (): void => {
    throttles.clear();
    for (const directory of cpuDirectories(files)) {
      const id = files.text(join(directory, 'topology/physical_package_id'));
      const core = files.text(join(directory, 'topology/core_id'));
      if (id === null || core === null) continue;
      const path = join(directory, 'thermal_throttle');
      add(`${id}/${core}`, join(path, 'core_throttle_count'), () => cores.with(id, core));
      add(id, join(path, 'package_throttle_count'), () => packages.with(id));
    }
  };
  const cadence = new Cadence(RESCAN_MS);
  return time => {
    // A CPU that was taken out may be put in again.
    if (cadence.due(time)) rescan();
    let gone = false;
    for (const { file, series } of throttles.values()) {
      const count = file.readNumber();
      if (Number.isNaN(count)) gone = true;
      else series.set(count);
    }
    // A CPU was taken out; another of its core may have the counter.
    if (gone) rescan();
  };
}

function openOnline({ files, metrics }: { files: Files; metrics: Metrics }): Collect {
  const family = metrics.gauge({
    name: 'node_cpu_online',
    help: 'Whether the CPU is online (1), where the first CPU can be taken offline at all.',
    labels: ['cpu'],
  });
  const cpus = cpuDirectories(files).map(directory => ({
    file: files.file(join(directory, 'online')),
    series: family.with(/\d+$/.exec(directory)![0]),
  }));
  if (cpus.length === 0 || Number.isNaN(cpus[0]!.file.readNumber())) return () => {};
  return () => {
    for (const { file, series } of cpus) series.set(file.readNumber() === 1 ? 1 : 0);
  };
}

function cpuDirectories(files: Files): string[] {
  const parent = join(files.roots.sysfs, 'devices/system/cpu');
  return files
    .list(parent)
    .filter(name => /^cpu\d+$/.test(name))
    .map(name => join(parent, name));
}
