// A small world for engine tests: series in the notation of test scripts, answers as plain objects.

import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { Annotations } from '../../../src/promql/annotations.ts';
import { Engine, type EngineOptions } from '../../../src/promql/engine.ts';
import { Execution } from '../../../src/promql/execution.ts';
import { ALL_SWITCHES } from '../../../src/promql/features.ts';
import { MemoryPool, QueryMemory } from '../../../src/promql/limits/memory.ts';
import { QUERY_LIMITS } from '../../../src/promql/limits/query-limits.ts';
import type { QueryResult } from '../../../src/promql/result.ts';
import { MemoryStorage } from '../../conformance/memory-storage.ts';
import { parseSeriesLine } from '../../conformance/notation.ts';

/** A store with one series per line, a sample every `stepMs` from time 0. */
export function storageOf(stepMs: number, ...lines: readonly string[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const line of lines) {
    const { labels, points } = parseSeriesLine(line);
    for (const [i, point] of points.entries()) {
      if (point.kind !== 'none') storage.append(labels, i * stepMs, point);
    }
  }
  return storage;
}

export function testEngine(options: Partial<EngineOptions> = {}): Engine {
  return new Engine({ clock: new ManualClock(0), ...ALL_SWITCHES, ...options });
}

/** The execution of no query in particular. */
export function testExecution(monotonic: () => number = () => 0): Execution {
  return new Execution({
    queryable: storageOf(1000),
    annotations: new Annotations(''),
    semantics: { delayedNameRemoval: false, startTimes: false },
    lookbackMs: 1,
    limits: QUERY_LIMITS,
    memory: new QueryMemory(new MemoryPool(QUERY_LIMITS)),
    monotonic,
    signal: new AbortController().signal,
  });
}

/** An answer's numbers by label set. */
export function shown(result: QueryResult): Record<string, number | number[]> {
  const { value } = result;
  switch (value.type) {
    case 'vector':
      return Object.fromEntries(value.samples.map(s => [s.labels.toString(), s.value]));
    case 'matrix':
      return Object.fromEntries(value.series.map(s => [s.labels.toString(), [...s.values]]));
    case 'scalar':
      return { scalar: value.value };
    case 'string':
      return { [value.value]: 0 };
  }
}
