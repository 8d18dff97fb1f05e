// A backfill from recording rules: each is evaluated over the past, stretch by stretch, and what it answers is
// stored as the rule would have stored it then: renamed, with its labels, and with a staleness marker where a
// series is not answered any more.

import { METRIC_NAME } from '../../../labels/labels.ts';
import { OutpostError } from '../../../lifecycle/errors.ts';
import { parseQuery } from '../../../promql/parser.ts';
import type { MatrixSeries } from '../../../promql/result.ts';
import { selectorsOf } from '../../../promql/selectors.ts';
import type { RecordingRule, RuleGroup } from '../../../rules/rule-file.ts';
import { setStale } from '../../../storage/stale.ts';
import type { ProgressSink } from '../../progress-sink.ts';
import type { Backfill } from './backfill.ts';

/** What an expression answers at start, start + step, … up to end, all Unix ms. */
export interface RangeAnswer {
  readonly series: readonly MatrixSeries[];
  readonly warnings: readonly string[];
}

/** Asks for a range; throws what whoever evaluates throws. */
export type EvaluateRange = (
  expr: string,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
) => Promise<RangeAnswer>;

/** What to evaluate, and when. */
export interface RulesOptions {
  readonly groups: readonly RuleGroup[];
  readonly evaluate: EvaluateRange;
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Interval of groups that give none. */
  readonly intervalMs: number;
  /** Length of a stretch. */
  readonly stretchMs: number;
  readonly progress: ProgressSink;
}

/** What was done beside samples. */
export interface RulesReport {
  readonly recordingRules: number;
  /** Alerting rules, which make nothing that could be stored afterwards. */
  readonly alertingRules: number;
  /** Sentences about rules that read what others make here. */
  readonly dependencies: readonly string[];
  /** Sentences of those who evaluated, each once; at most twenty. */
  readonly warnings: readonly string[];
  readonly staleMarkers: number;
}

// Servers answer 11,000 steps at most.
const STEPS_MAX = 10_000;
const WARNINGS_MAX = 20;
const STALE = new Float64Array(1);
setStale(STALE, 0);

interface Task {
  readonly rule: RecordingRule;
  readonly stepMs: number;
  readonly stretches: readonly { readonly startMs: number; readonly endMs: number }[];
}

/**
 * Evaluates every recording rule. Times are multiples of a group's interval. Throws `bad-data` where two
 * series of an answer become one by the rule's labels or cannot be stored.
 */
export async function readRules(backfill: Backfill, options: RulesOptions): Promise<RulesReport> {
  const { groups, progress } = options;
  const rules = groups.flatMap(group => group.rules);
  const tasks = groups.flatMap(group => tasksOf(group, options));
  const warnings = new Set<string>();
  const total = tasks.reduce((sum, { stretches }) => sum + stretches.length, 0);
  progress.phase('evaluate', total, 'queries');
  let done = 0;
  let staleMarkers = 0;
  for (const task of tasks) {
    const recording = new Recording(backfill, task);
    for (const stretch of task.stretches) {
      const { series, warnings: told } = await evaluated(task, stretch, options);
      for (const one of told) if (warnings.size < WARNINGS_MAX) warnings.add(one);
      for (const one of series) await recording.add(one);
      recording.endOfStretch();
      progress.at(++done);
    }
    staleMarkers += await recording.finish(options.maxTime);
  }
  return {
    recordingRules: tasks.length,
    alertingRules: rules.filter(rule => rule.kind === 'alert').length,
    dependencies: dependenciesOf(tasks.map(({ rule }) => rule)),
    warnings: [...warnings],
    staleMarkers,
  };
}

function tasksOf(group: RuleGroup, options: RulesOptions): Task[] {
  const stepMs = group.intervalMs ?? options.intervalMs;
  const stretches = stretchesOf(stepMs, options);
  return group.rules.flatMap(rule => (rule.kind === 'record' ? [{ rule, stepMs, stretches }] : []));
}

function stretchesOf(stepMs: number, options: RulesOptions): Task['stretches'] {
  const { minTime, maxTime, stretchMs } = options;
  const steps = Math.min(STEPS_MAX, Math.max(1, Math.floor(stretchMs / stepMs)));
  const out = [];
  const first = Math.ceil(minTime / stepMs) * stepMs;
  for (let startMs = first; startMs <= maxTime; startMs += steps * stepMs) {
    const last = startMs + (steps - 1) * stepMs;
    out.push({ startMs, endMs: Math.min(last, Math.floor(maxTime / stepMs) * stepMs) });
  }
  return out;
}

async function evaluated(
  { rule, stepMs }: Task,
  stretch: { readonly startMs: number; readonly endMs: number },
  { evaluate }: RulesOptions,
): Promise<RangeAnswer> {
  try {
    return await evaluate(rule.expr, { ...stretch, stepMs });
  } catch (thrown) {
    const error = OutpostError.from(thrown);
    if (error.code === 'canceled') throw error;
    const message = `evaluate rule ${rule.record}: ${error.message}`;
    throw new OutpostError(error.code, message, { cause: error });
  }
}

/** One rule's series over all stretches. */
class Recording {
  readonly #backfill: Backfill;
  readonly #task: Task;
  /** Time of the newest sample by series number. */
  readonly #newest = new Map<number, number>();
  /** Series of the stretch under way. */
  readonly #seen = new Set<number>();
  #staleMarkers = 0;

  constructor(backfill: Backfill, task: Task) {
    this.#backfill = backfill;
    this.#task = task;
  }

  async add({ labels, times, values, histograms }: MatrixSeries): Promise<void> {
    const { rule } = this.#task;
    let stored = labels;
    // A label set to nothing is removed.
    for (const [name, value] of rule.labels) stored = stored.with(name, value);
    stored = stored.with(METRIC_NAME, rule.record);
    const series = this.#backfill.seriesOf(stored);
    if (typeof series === 'string') {
      throw new OutpostError('bad-data', `store rule ${rule.record}: ${stored}: ${series}`);
    }
    if (this.#seen.has(series)) {
      const message = `store rule ${rule.record}: several series of the answer become ${stored}`;
      throw new OutpostError('bad-data', message);
    }
    this.#seen.add(series);
    for (let i = 0; i < times.length; i++) {
      const time = times[i]!;
      await this.#markGap(series, time);
      const histogram = histograms?.[i];
      const problem = histogram
        ? this.#backfill.addHistogram(series, time, histogram)
        : this.#backfill.add(series, time, values[i]!);
      if (problem !== null) {
        throw new OutpostError('bad-data', `store rule ${rule.record}: ${stored}: ${problem}`);
      }
      this.#newest.set(series, time);
      if (this.#backfill.full) await this.#backfill.drain();
    }
  }

  endOfStretch(): void {
    this.#seen.clear();
  }

  /** Ends the series that were gone before the end, and says how many markers there are in all. */
  async finish(maxTime: number): Promise<number> {
    for (const series of this.#newest.keys()) await this.#markGap(series, maxTime + 1);
    return this.#staleMarkers;
  }

  /** A marker one step behind the newest sample, where `time` lies further. */
  async #markGap(series: number, time: number): Promise<void> {
    const newest = this.#newest.get(series);
    if (newest === undefined) return;
    const at = newest + this.#task.stepMs;
    if (at >= time) return;
    this.#backfill.add(series, at, STALE[0]!);
    this.#staleMarkers++;
    if (this.#backfill.full) await this.#backfill.drain();
  }
}

/** Rules see what is stored, and what others make here is not stored yet. */
function dependenciesOf(rules: readonly RecordingRule[]): string[] {
  const names = new Set(rules.map(({ record }) => record));
  return rules.flatMap(({ record, expr }) =>
    [...new Set(selectorsOf(parseQuery(expr)).map(({ name }) => name))]
      .filter(name => names.has(name))
      .map(name => `rule ${record} reads ${name}, which is made here and not seen yet`),
  );
}
