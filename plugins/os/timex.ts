// The state of the kernel's clock: offset, errors, frequency, synchronization; what adjtimex(2) tells,
// asked through a program, because it has no file.

import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { type CommandOptions, type RunCommand, runCommand } from '../sdk/command.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import {
  type ClockSource,
  type ClockState,
  clockSources,
  NOT_SYNCHRONIZED,
  STATUS_NANO,
} from './timex-sources.ts';

const MICROSECONDS = 1e6;
const NANOSECONDS = 1e9;
const PPM_UNIT = 1e6 * 65_536;
const ANSWER_MS = 5000;

/** Field, metric, help. */
const GAUGES: readonly (readonly [keyof ClockState, string, string])[] = [
  ['offset', 'offset_seconds', 'How far the clock is from its reference.'],
  ['freq', 'frequency_adjustment_ratio', 'How much faster the clock is made to run.'],
  ['maxerror', 'maxerror_seconds', 'The largest error the clock may have.'],
  ['esterror', 'estimated_error_seconds', 'The error the clock probably has.'],
  ['status', 'status', 'The status bits of the clock.'],
  ['constant', 'loop_time_constant', 'Time constant of the phase-locked loop.'],
  ['tick', 'tick_seconds', 'Time between clock ticks.'],
  ['ppsfreq', 'pps_frequency_hertz', 'Frequency of the pulse per second.'],
  ['jitter', 'pps_jitter_seconds', 'Jitter of the pulse per second.'],
  ['shift', 'pps_shift_seconds', 'Interval between pulses.'],
  ['stabil', 'pps_stability_hertz', 'Stability of the pulse per second.'],
  ['tai', 'tai_offset_seconds', 'How far international atomic time is ahead of UTC.'],
];
const COUNTERS: readonly (readonly [keyof ClockState, string, string])[] = [
  ['jitcnt', 'pps_jitter_total', 'Pulses whose jitter was too large.'],
  ['calcnt', 'pps_calibration_total', 'Calibration intervals.'],
  ['errcnt', 'pps_error_total', 'Calibrations that failed.'],
  ['stbcnt', 'pps_stability_exceeded_total', 'Times the stability was not enough.'],
];

/** The collector over sources and a way to run programs; the first source that answers is kept. */
export function newTimex(sources: readonly ClockSource[], run: RunCommand) {
  return defineCollector({
    name: 'timex',
    help: 'Offset, errors and synchronization of the clock.',
    defaultEnabled: true,
    intervalMs: 30_000,
    open({ metrics, logger, clock }) {
      const report = newReport(metrics);
      const closed = new AbortController();
      const options = { clock, timeoutMs: ANSWER_MS, signal: closed.signal };
      let chosen: ClockSource | null = null;
      return {
        collect: async () => {
          for (const source of chosen === null ? sources : [chosen]) {
            const state = await ask(source, run, options);
            if (state === null) continue;
            if (chosen === null) logger.debug('the clock is asked through', { name: source.name });
            chosen = source;
            report(state);
            return;
          }
          chosen = null;
          const names = sources.map(({ name }) => name).join(', ');
          throw new NoDataError(`none of ${names} tells the state of the clock: install perl`);
        },
        close: () => closed.abort(),
      };
    },
  });
}

export const timex = newTimex(clockSources(), runCommand);

async function ask(
  { program, args, parse }: ClockSource,
  run: RunCommand,
  options: CommandOptions,
): Promise<ClockState | null> {
  try {
    const { code, stdout } = await run(program, args, options);
    return code === 0 ? parse(stdout) : null;
  } catch {
    // A program that is missing or fails is the usual case; the next one is asked.
    return null;
  }
}

function newReport(metrics: Metrics): (state: ClockState) => void {
  const sync = metrics
    .gauge({ name: 'node_timex_sync_status', help: 'Whether the clock is synchronized (1).' })
    .with();
  const fields: readonly (readonly [keyof ClockState, Series])[] = [
    ...GAUGES.map(
      ([field, name, help]) =>
        [field, metrics.gauge({ name: `node_timex_${name}`, help }).with()] as const,
    ),
    ...COUNTERS.map(
      ([field, name, help]) =>
        [field, metrics.counter({ name: `node_timex_${name}`, help }).with()] as const,
    ),
  ];
  return state => {
    sync.set(state.state === NOT_SYNCHRONIZED ? 0 : 1);
    const isNano = ((state.status ?? 0) & STATUS_NANO) !== 0;
    for (const [field, series] of fields) {
      const value = state[field];
      if (value !== undefined) series.set(inBaseUnits(field, value, isNano));
    }
  };
}

function inBaseUnits(field: keyof ClockState, value: number, isNano: boolean): number {
  switch (field) {
    case 'offset':
    case 'jitter':
      return value / (isNano ? NANOSECONDS : MICROSECONDS);
    case 'maxerror':
    case 'esterror':
    case 'tick':
      return value / MICROSECONDS;
    case 'freq':
      return 1 + value / PPM_UNIT;
    case 'ppsfreq':
    case 'stabil':
      return value / PPM_UNIT;
    default:
      return value;
  }
}
