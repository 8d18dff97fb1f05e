// NVIDIA cards, from nvidia-smi under the names of NVIDIA's own exporter (DCGM), where it has them. What
// nvidia-smi cannot tell (profiling, NVLink) takes that exporter, which an agent can scrape.

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { type RunCommand, runCommand } from '../sdk/command.ts';
import type { Files } from '../sdk/files.ts';
import { number } from '../sdk/options.ts';

const INTERVAL_MS = 15_000;
const PROBE_MS = 5_000;

/** Labels: what nvidia-smi is asked for, and the label. */
const IDENTITY = [
  ['index', 'gpu'],
  ['uuid', 'UUID'],
  ['pci.bus_id', 'pci_bus_id'],
  ['name', 'modelName'],
  ['driver_version', 'DCGM_FI_DRIVER_VERSION'],
] as const;

/** Numbers: what nvidia-smi is asked for, metric, type, help. */
const NUMBERS = [
  ['clocks.sm', 'SM_CLOCK', 'gauge', 'Clock of the multiprocessors, MHz.'],
  ['clocks.mem', 'MEM_CLOCK', 'gauge', 'Clock of the memory, MHz.'],
  ['temperature.gpu', 'GPU_TEMP', 'gauge', 'Temperature of the card, degrees Celsius.'],
  ['temperature.memory', 'MEMORY_TEMP', 'gauge', 'Temperature of the memory, degrees Celsius.'],
  ['power.draw', 'POWER_USAGE', 'gauge', 'Power in use, W.'],
  ['utilization.gpu', 'GPU_UTIL', 'gauge', 'Time in which the card was busy, percent.'],
  ['utilization.memory', 'MEM_COPY_UTIL', 'gauge', 'Time in which the memory was busy, percent.'],
  ['utilization.encoder', 'ENC_UTIL', 'gauge', 'Use of the video encoder, percent.'],
  ['utilization.decoder', 'DEC_UTIL', 'gauge', 'Use of the video decoder, percent.'],
  ['memory.free', 'FB_FREE', 'gauge', 'Memory free, MiB.'],
  ['memory.used', 'FB_USED', 'gauge', 'Memory in use, MiB.'],
  ['memory.reserved', 'FB_RESERVED', 'gauge', 'Memory kept by the driver, MiB.'],
  ['fan.speed', 'FAN_SPEED', 'gauge', 'Speed of the fan, percent.'],
  [
    'ecc.errors.corrected.volatile.total',
    'ECC_SBE_VOL_TOTAL',
    'counter',
    'Memory errors corrected since the driver was loaded.',
  ],
  [
    'ecc.errors.uncorrected.volatile.total',
    'ECC_DBE_VOL_TOTAL',
    'counter',
    'Memory errors not corrected since the driver was loaded.',
  ],
] as const;

/** The collector, over programs of the caller's choice. */
export function newGpu(run: RunCommand) {
  return defineCollector({
    name: 'gpu',
    help: 'Load, memory, temperature and power of NVIDIA cards, from nvidia-smi.',
    defaultEnabled: true,
    intervalMs: INTERVAL_MS,
    options: {
      timeoutSeconds: number('Time after which nvidia-smi is ended.', 10, { min: 1, max: 60 }),
    },
    async probe({ files, clock }) {
      requireDriver(files);
      await run('nvidia-smi', ['--list-gpus'], { clock, timeoutMs: PROBE_MS });
      return { outcome: 'ok' };
    },
    open({ files, metrics, options, clock }) {
      const ending = new AbortController();
      const families = new Map(
        NUMBERS.map(([field, name, type, help]) => [
          field as string,
          metrics[type]({
            name: `DCGM_FI_DEV_${name}`,
            help,
            labels: ['gpu', 'UUID', 'pci_bus_id', 'modelName', 'DCGM_FI_DRIVER_VERSION', 'device'],
          }),
        ]),
      );
      const identity = IDENTITY.map(([field]) => field as string);
      let fields = [...families.keys()];
      const ask = async (): Promise<string> => {
        const all = [...identity, ...fields];
        const args = [`--query-gpu=${all.join(',')}`, '--format=csv,noheader,nounits'];
        const timeoutMs = options.timeoutSeconds * 1000;
        const { code, stdout, stderr } = await run('nvidia-smi', args, {
          clock,
          timeoutMs,
          signal: ending.signal,
        });
        if (code === 0) return stdout;
        const text = `${stdout}${stderr}`.trim();
        // Drivers know ever more fields; an older one is asked again without what it does not know.
        const [, unknown] = /Field "(.+?)" is not a valid field/.exec(text) ?? [];
        if (unknown === undefined || !fields.includes(unknown)) {
          throw new Error(`nvidia-smi: ${text.slice(0, 500) || `exit code ${code}`}`);
        }
        fields = fields.filter(field => field !== unknown);
        return ask();
      };
      const collect = async (): Promise<void> => {
        requireDriver(files);
        for (const line of (await ask()).split('\n')) {
          const values = line.split(', ');
          const [gpu, uuid, bus, model, version, ...numbers] = values;
          if (values.length !== identity.length + fields.length) continue;
          for (const [i, field] of fields.entries()) {
            const value = Number(numbers[i]);
            if (Number.isNaN(value)) continue;
            families
              .get(field)!
              .with(gpu!, uuid!, bus!, model!, version!, `nvidia${gpu}`)
              .set(value);
          }
        }
      };
      return { collect, close: () => ending.abort() };
    },
  });
}

export const gpu = newGpu(runCommand);

function requireDriver(files: Files): void {
  const { path } = files.proc('driver/nvidia/version');
  if (files.text(path) === null) throw new NoDataError('no NVIDIA driver is loaded');
}
