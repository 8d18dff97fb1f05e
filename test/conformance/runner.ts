// Runs scripts against an engine and says which commands did not come out as expected. As upstream does,
// every instant query is also asked as the middle step of a range query, and at other times with all its
// selectors pinned to its own.

import { ManualClock } from '../../src/lifecycle/clock.ts';
import { Engine } from '../../src/promql/engine.ts';
import { ALL_SWITCHES } from '../../src/promql/features.ts';
import type { QueryResult, ResultValue, VectorSample } from '../../src/promql/result.ts';
import type { Queryable } from '../../src/storage/queryable.ts';
import { compareMatrix, compareScalar, compareVector } from './compare.ts';
import type { MemoryStorage } from './memory-storage.ts';
import { nativeTwins } from './native-twins.ts';
import type { SeriesLine } from './notation.ts';
import { pinnedQuery } from './pinned.ts';
import { type EvalCommand, type LoadCommand, parseScript } from './script.ts';
import { ScriptWorld } from './script-world.ts';

/** One eval that failed. */
export interface Failure {
  readonly line: number;
  readonly query: string;
  readonly reason: string;
}

export interface ScriptReport {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/** The engine as upstream's suite sets it up. */
export function conformanceEngine(): Engine {
  return new Engine({
    clock: new ManualClock(0),
    lookbackMs: 300_000,
    samplesMax: 10_000_000,
    timeoutMs: 100_000,
    delayedNameRemoval: true,
    startTimes: true,
    ...ALL_SWITCHES,
  });
}

/** Runs one script from its first line. */
export async function runScript(text: string, engine: Engine): Promise<ScriptReport> {
  const world = new ScriptWorld();
  const failures: Failure[] = [];
  let passed = 0;
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') world.clear();
    else if (command.kind === 'store') world.begin(command);
    else if (command.kind === 'load') load(world, command);
    else {
      const reason = await runEval(engine, world.queryable, command);
      if (reason === null) passed++;
      else failures.push({ line: command.line, query: command.query, reason });
    }
  }
  return { passed, failures };
}

function load({ storage, labels: external }: ScriptWorld, command: LoadCommand): void {
  const twins = command.asNative ? nativeTwins(command.series) : [];
  for (const series of [...command.series, ...twins]) {
    const starts = command.starts.get(series.labels.key);
    let { labels } = series;
    for (const [name, value] of external) labels = labels.with(name, value);
    loadSeries(storage, { ...series, labels }, command.stepMs, starts);
  }
}

function loadSeries(
  storage: MemoryStorage,
  { labels, points }: SeriesLine,
  stepMs: number,
  starts?: readonly (number | null)[],
): void {
  for (const [i, point] of points.entries()) {
    if (point.kind === 'none') continue;
    const offset = starts?.[i];
    const start = offset == null ? undefined : i * stepMs + offset;
    storage.append(labels, i * stepMs, point, start);
  }
}

/** The reason why the command failed, or null. */
async function runEval(
  engine: Engine,
  storage: Queryable,
  command: EvalCommand,
): Promise<string | null> {
  const fails = command.expectations.filter(e => e.type === 'fail');
  let result: QueryResult;
  try {
    result = command.range
      ? await engine.range(storage, command.query, command.range)
      : await engine.instant(storage, command.query, { timeMs: command.timeMs });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (fails.length === 0) return `error: ${message}`;
    const fail = fails.find(({ accepts }) => accepts !== null && !accepts(message));
    return fail ? `expected the error ${fail.text}, got ${message}` : null;
  }
  if (fails.length > 0) return 'expected an error, got an answer';
  return (
    checkAnnotations(command, result) ??
    compare(command, result.value) ??
    (await runAsRange(engine, storage, command, result.value)) ??
    (await runPinned(engine, storage, command))
  );
}

function withoutPlace(text: string): string {
  return text.replace(/ \(\d+:\d+\)$/, '');
}

function checkAnnotations(command: EvalCommand, result: QueryResult): string | null {
  const warnings = result.warnings.map(withoutPlace);
  const infos = result.infos.map(withoutPlace);
  if (command.noWarn && warnings.length > 0) return `unexpected warnings: ${warnings.join('; ')}`;
  if (command.noInfo && infos.length > 0) return `unexpected infos: ${infos.join('; ')}`;
  return checkKind(command, 'warn', warnings) ?? checkKind(command, 'info', infos);
}

function checkKind(
  command: EvalCommand,
  type: 'warn' | 'info',
  actual: readonly string[],
): string | null {
  const wanted = command.expectations.filter(e => e.type === type);
  if (wanted.length === 0) return null;
  const missing = wanted.find(e => !actual.some(text => e.accepts === null || e.accepts(text)));
  if (missing) return `expected ${type} ${missing.text}, got: ${actual.join('; ') || 'none'}`;
  const extra = actual.find(text => !wanted.some(e => e.accepts === null || e.accepts(text)));
  return extra === undefined ? null : `unexpected ${type}: ${extra}`;
}

function compare(command: EvalCommand, value: ResultValue): string | null {
  switch (value.type) {
    case 'string':
      return value.value === command.text ? null : `expected ${command.text}, got ${value.value}`;
    case 'scalar':
      return compareScalar(command.scalar, value.value);
    case 'vector':
      if (command.scalar !== null) return 'expected a scalar, got a vector';
      return compareVector(command.series, value.samples, command.ordered);
    case 'matrix': {
      const grid = command.range ?? command.vectorTimes;
      if (!grid) return 'expected an instant answer, got a matrix';
      return compareMatrix(command.series, value.series, grid);
    }
  }
}

/** Asks an instant query at other times, with every selector pinned to its own by `@`. */
async function runPinned(
  engine: Engine,
  storage: Queryable,
  command: EvalCommand,
): Promise<string | null> {
  const { query, timeMs } = command;
  if (command.range || command.vectorTimes || command.text !== null) return null;
  const pinned = pinnedQuery(query, timeMs);
  if (pinned === null) return null;
  const times = timeMs === 0 ? [-1000, 1000] : [-10 * timeMs, 0, timeMs / 5, 10 * timeMs];
  for (const other of times) {
    let value: ResultValue;
    try {
      ({ value } = await engine.instant(storage, pinned, { timeMs: other }));
    } catch (thrown) {
      return `${pinned} at ${other}: ${thrown instanceof Error ? thrown.message : thrown}`;
    }
    const reason = compare(command, value);
    if (reason !== null) return `${pinned} at ${other}: ${reason}`;
  }
  return null;
}

const QUERY_DEPENDENT = /\b(?:range|step|start|end)\s*\(\s*\)/i;
const MINUTE = 60_000;

/** Asks an instant query again as the middle of three steps. */
async function runAsRange(
  engine: Engine,
  storage: Queryable,
  command: EvalCommand,
  instant: ResultValue,
): Promise<string | null> {
  const { query, timeMs } = command;
  if (command.range || command.vectorTimes || command.text !== null) return null;
  if (QUERY_DEPENDENT.test(query) || instant.type === 'matrix') return null;
  const span = { startMs: timeMs - MINUTE, endMs: timeMs + MINUTE, stepMs: MINUTE };
  let value: ResultValue;
  try {
    ({ value } = await engine.range(storage, query, span));
  } catch (thrown) {
    return `as a range query: ${thrown instanceof Error ? thrown.message : thrown}`;
  }
  if (value.type !== 'matrix') return 'as a range query: no matrix';
  if (command.ordered) return null;
  const samples: VectorSample[] = [];
  for (const { labels, times, values, histograms } of value.series) {
    const i = times.indexOf(timeMs);
    if (i >= 0) samples.push({ labels, value: values[i]!, histogram: histograms?.[i] ?? null });
  }
  const reason =
    instant.type === 'scalar'
      ? compareScalar(command.scalar, samples[0]?.value ?? Number.NaN)
      : compareVector(command.series, samples, false);
  return reason === null ? null : `as a range query: ${reason}`;
}
