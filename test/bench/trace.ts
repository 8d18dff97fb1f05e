// A recorded host as many hosts over a longer time: each host plays the same recording with a phase of its
// own and an `instance` label; what only ever grows keeps growing when the recording begins anew.

import { readFileSync } from 'node:fs';
import { Labels } from '../../src/labels/labels.ts';

/** One series of the replayed fleet. */
export interface ReplayedSeries {
  readonly labels: Labels;
  readonly values: Float64Array;
}

/** Samples of a fleet: series of one host share their times, as those of one scrape do. */
export interface Fleet {
  /** Unix ms, one column for each host. */
  readonly times: readonly Float64Array[];
  /** By host. */
  readonly series: readonly (readonly ReplayedSeries[])[];
  readonly sampleCount: number;
}

/** How the recording is replayed. */
export interface ReplayOptions {
  readonly hosts: number;
  /** Samples of each series. */
  readonly scrapes: number;
  readonly start: number;
  readonly stepMs: number;
  /** True: scrapes come as late as they came in the recording, to the millisecond. */
  readonly jitter: boolean;
}

interface Recording {
  readonly series: readonly string[];
  readonly t: readonly number[];
  readonly v: readonly (readonly (number | null)[])[];
}

// Further digits are the rounding noise of sums, which a longer recording would have, too.
const DECIMALS_MAX = 9;

/** Reads a recording: `series` names as exposed, `t` in ms, `v` one column of values for each series. */
export function readRecording(path: string): Recording {
  return JSON.parse(readFileSync(path, 'utf8')) as Recording;
}

/** Series with gaps in the recording are left out. */
export function replay(recording: Recording, options: ReplayOptions): Fleet {
  const whole = recording.series
    .map((name, i) => ({ name, column: recording.v[i]! }))
    .filter((one): one is { name: string; column: number[] } => !one.column.includes(null));
  const times: Float64Array[] = [];
  const series: ReplayedSeries[][] = [];
  for (let host = 0; host < options.hosts; host++) {
    const phase = (host * 173) % recording.t.length;
    times.push(replayTimes(recording.t, phase, host, options));
    const instance = `host-${host}:9100`;
    series.push(
      whole.map(({ name, column }) => ({
        labels: Labels.fromObject({ ...parseName(name), instance, job: 'node' }),
        values: replayValues(column, phase, options.scrapes),
      })),
    );
  }
  return { times, series, sampleCount: whole.length * options.hosts * options.scrapes };
}

function replayTimes(
  recorded: readonly number[],
  phase: number,
  host: number,
  { scrapes, start, stepMs, jitter }: ReplayOptions,
): Float64Array {
  const recordedStep = Math.round((recorded.at(-1)! - recorded[0]!) / (recorded.length - 1));
  const offset = (host * 617) % stepMs;
  return Float64Array.from({ length: scrapes }, (_, i) => {
    const at = 1 + ((phase + i) % (recorded.length - 1));
    const late = jitter ? recorded[at]! - recorded[at - 1]! - recordedStep : 0;
    return start + offset + i * stepMs + late;
  });
}

function replayValues(recorded: readonly number[], phase: number, scrapes: number): Float64Array {
  const grows = recorded.every((value, i) => i === 0 || value >= recorded[i - 1]!);
  const increase = grows ? recorded.at(-1)! - recorded[0]! : 0;
  const decimals = Math.max(...recorded.map(decimalsOf));
  return Float64Array.from({ length: scrapes }, (_, i) => {
    const value = recorded[(phase + i) % recorded.length]!;
    const rounds = Math.floor((phase + i) / recorded.length);
    if (increase === 0 || rounds === 0) return value;
    const sum = value + rounds * increase;
    return decimals <= DECIMALS_MAX ? Number(sum.toFixed(decimals)) : sum;
  });
}

function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  return Math.max(0, (digits.split('.')[1] ?? '').length - Number(exponent));
}

function parseName(text: string): Record<string, string> {
  const open = text.indexOf('{');
  const labels: Record<string, string> = { __name__: open < 0 ? text : text.slice(0, open) };
  for (const [, name, value] of text.slice(open).matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    if (open >= 0) labels[name!] = value!.replace(/\\(.)/g, '$1');
  }
  return labels;
}
