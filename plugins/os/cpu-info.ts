// The identity of the CPUs from /proc/cpuinfo: the part of the cpu collector that is off unless asked for.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import type { Collect } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics } from '../sdk/metrics.ts';

/** What /proc/cpuinfo says of one CPU; '' and NaN where it does not. */
export interface CpuInfo {
  readonly processor: string;
  readonly vendor: string;
  readonly family: string;
  readonly model: string;
  readonly modelName: string;
  readonly microcode: string;
  readonly stepping: string;
  readonly cacheSize: string;
  readonly package: string;
  readonly core: string;
  readonly megahertz: number;
  readonly flags: readonly string[];
  readonly bugs: readonly string[];
}

/** Reads /proc/cpuinfo in the format of x86. */
export function parseCpuInfo(scanner: ByteScanner): CpuInfo[] {
  const cpus: Map<string, string>[] = [];
  while (scanner.line()) {
    if (!scanner.wordBefore(':')) continue;
    const key = scanner.text().trim();
    if (key === 'processor') cpus.push(new Map());
    cpus.at(-1)?.set(key, scanner.rest());
  }
  return cpus.map(fields => {
    const text = (key: string): string => fields.get(key) ?? '';
    return {
      processor: text('processor'),
      vendor: text('vendor_id'),
      family: text('cpu family'),
      model: text('model'),
      modelName: text('model name'),
      microcode: text('microcode'),
      stepping: text('stepping'),
      cacheSize: text('cache size'),
      package: text('physical id'),
      core: text('core id'),
      megahertz: Number.parseFloat(text('cpu MHz')),
      flags: text('flags').split(/\s+/),
      bugs: text('bugs').split(/\s+/),
    };
  });
}

interface CpuInfoContext {
  readonly files: Files;
  readonly metrics: Metrics;
  readonly options: { readonly flagsInclude: RegExp | null; readonly bugsInclude: RegExp | null };
}

/** Exposes identity, frequency, and the flags and bugs of the first CPU that the options ask for. */
export function openCpuInfo({ files, metrics, options }: CpuInfoContext): Collect {
  const info = metrics.gauge({
    name: 'node_cpu_info',
    help: 'Identity of the CPU from /proc/cpuinfo; always 1.',
    labels: [
      'package',
      'core',
      'cpu',
      'vendor',
      'family',
      'model',
      'model_name',
      'microcode',
      'stepping',
      'cachesize',
    ],
  });
  const frequency = metrics.gauge({
    name: 'node_cpu_frequency_hertz',
    help: 'Frequency of the CPU from /proc/cpuinfo.',
    unit: 'hertz',
    labels: ['package', 'core', 'cpu'],
  });
  const flags = metrics.gauge({
    name: 'node_cpu_flag_info',
    help: 'Flags of the first CPU from /proc/cpuinfo; always 1.',
    labels: ['flag'],
  });
  const bugs = metrics.gauge({
    name: 'node_cpu_bug_info',
    help: 'Bugs of the first CPU from /proc/cpuinfo; always 1.',
    labels: ['bug'],
  });
  const file = files.proc('cpuinfo');
  return () => {
    const cpus = parseCpuInfo(file.read());
    for (const it of cpus) {
      const identity = [it.vendor, it.family, it.model, it.modelName, it.microcode] as const;
      info.with(it.package, it.core, it.processor, ...identity, it.stepping, it.cacheSize).set(1);
      if (!Number.isNaN(it.megahertz)) {
        frequency.with(it.package, it.core, it.processor).set(it.megahertz * 1e6);
      }
    }
    for (const name of cpus[0]?.flags ?? []) {
      if (options.flagsInclude?.test(name)) flags.with(name).set(1);
    }
    for (const name of cpus[0]?.bugs ?? []) {
      if (options.bugsInclude?.test(name)) bugs.with(name).set(1);
    }
  };
}
