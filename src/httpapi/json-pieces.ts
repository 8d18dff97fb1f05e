// Answers as JSON text in small pieces: values go from their columns to text without objects between, and
// whoever sends the pieces decides when to give way.

import { formatFloat, formatSeconds } from '../encoding/format-float.ts';
import { sampleText } from '../kernels/sample-text.ts';
import type { Labels } from '../labels/labels.ts';
import type { MatrixSeries, QueryResult, QueryStats, VectorSample } from '../promql/result.ts';
import type { Piece } from './body-chunk.ts';
import { histogramJson } from './histogram-json.ts';
import { type MissingPart, missingJson } from './read-observer.ts';

const SAMPLES_A_PIECE = 512;
const STRINGS_A_PIECE = 512;

/** What of a result is shown. */
export interface ResultView {
  /** Most series; 0 is no limit. */
  readonly limit: number;
  readonly withStats: boolean;
  /** When the steps are, in ms, where the statistics show each of them. */
  readonly steps?: { readonly startMs: number; readonly stepMs: number };
  /** Parts that could not be read, for the statistics. */
  readonly missing?: () => readonly MissingPart[];
}

/** True where the view shows fewer series than the result has. */
export function isTruncated({ value }: QueryResult, { limit }: ResultView): boolean {
  if (limit === 0) return false;
  if (value.type === 'vector') return value.samples.length > limit;
  return value.type === 'matrix' && value.series.length > limit;
}

/** `[1.5,"1"],` is the shortest of samples that are not at the beginning of time. */
const SAMPLE_BYTES_LEAST = 14;
const SERIES_BYTES_LEAST = 20;

/** A number of bytes that the text has at least, told without making it. */
export function leastBytes({ value }: QueryResult, { limit }: ResultView): number {
  const end = limit === 0 ? undefined : limit;
  if (value.type === 'vector') {
    const { length } = value.samples;
    return Math.min(length, end ?? length) * (SERIES_BYTES_LEAST + SAMPLE_BYTES_LEAST);
  }
  if (value.type !== 'matrix') return 0;
  let bytes = 0;
  for (const { times } of value.series.slice(0, end)) {
    bytes += SERIES_BYTES_LEAST + times.length * SAMPLE_BYTES_LEAST;
  }
  return bytes;
}

/** `{"resultType":…,"result":…,"stats":…}`. */
export function* resultPieces(result: QueryResult, view: ResultView): Generator<Piece> {
  const { value } = result;
  const end = view.limit === 0 ? undefined : view.limit;
  yield `{"resultType":"${value.type}","result":`;
  if (value.type === 'vector') yield* vectorPieces(value.samples.slice(0, end), value.time);
  else if (value.type === 'matrix') yield* matrixPieces(value.series.slice(0, end));
  else {
    const text = value.type === 'scalar' ? formatFloat(value.value) : value.value;
    yield `[${formatSeconds(value.time)},${JSON.stringify(text)}]`;
  }
  if (view.withStats) yield* statsPieces(result.stats, view);
  yield '}';
}

function* vectorPieces(samples: readonly VectorSample[], time: number): Generator<string> {
  const seconds = formatSeconds(time);
  let separator = '[';
  for (const { labels, value, histogram } of samples) {
    const shown = histogram
      ? `"histogram":[${seconds},${histogramJson(histogram)}]`
      : `"value":[${seconds},"${formatFloat(value)}"]`;
    yield `${separator}{"metric":${labelsJson(labels)},${shown}}`;
    separator = ',';
  }
  yield samples.length === 0 ? '[]' : ']';
}

function* matrixPieces(series: readonly MatrixSeries[]): Generator<Piece> {
  let before = '[';
  for (const one of series) {
    yield `${before}{"metric":${labelsJson(one.labels)}`;
    if (one.histograms) yield* mixedPieces(one);
    else yield* floatPieces(one);
    before = '},';
  }
  yield series.length === 0 ? '[]' : '}]';
}

function* floatPieces({ times, values }: MatrixSeries): Generator<Piece> {
  if (times.length === 0) return;
  const text = sampleText();
  for (let from = 0; from < times.length; from += text.samplesMax) {
    const to = Math.min(from + text.samplesMax, times.length);
    yield from === 0 ? ',"values":[' : ',';
    yield text.write(times, values, from, to);
  }
  yield ']';
}

function* mixedPieces(series: MatrixSeries): Generator<string> {
  yield* samplePieces(series, 'values');
  yield* samplePieces(series, 'histograms');
}

function* samplePieces(
  { times, values, histograms }: MatrixSeries,
  key: 'values' | 'histograms',
): Generator<string> {
  let text = '';
  let count = 0;
  for (let i = 0; i < times.length; i++) {
    const histogram = histograms?.[i];
    if ((histogram !== undefined) !== (key === 'histograms')) continue;
    const shown = histogram ? histogramJson(histogram) : `"${formatFloat(values[i]!)}"`;
    text += `${count === 0 ? `,"${key}":[` : ','}[${formatSeconds(times[i]!)},${shown}]`;
    if (++count % SAMPLES_A_PIECE === 0) {
      yield text;
      text = '';
    }
  }
  if (count > 0) yield `${text}]`;
}

/** A label set as an object. */
export function labelsJson({ pairs }: Labels): string {
  let text = '';
  for (let i = 0; i < pairs.length; i += 2) {
    text += `${i === 0 ? '{' : ','}${JSON.stringify(pairs[i])}:${JSON.stringify(pairs[i + 1])}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** An array of strings. */
export function* stringPieces(strings: readonly string[]): Generator<string> {
  let separator = '[';
  for (let from = 0; from < strings.length; from += STRINGS_A_PIECE) {
    const part = JSON.stringify(strings.slice(from, from + STRINGS_A_PIECE));
    yield `${separator}${part.slice(1, -1)}`;
    separator = ',';
  }
  yield strings.length === 0 ? '[]' : ']';
}

/** An array of label sets. */
export function* labelsPieces(sets: readonly Labels[]): Generator<string> {
  let separator = '[';
  for (const labels of sets) {
    yield separator + labelsJson(labels);
    separator = ',';
  }
  yield sets.length === 0 ? '[]' : ']';
}

function* statsPieces(stats: QueryStats, view: ResultView): Generator<string> {
  const { queueMs, prepareMs, evalMs, samplesPerStep } = stats;
  const timings = JSON.stringify({
    evalTotalTime: (prepareMs + evalMs) / 1000,
    resultSortTime: 0,
    queryPreparationTime: prepareMs / 1000,
    innerEvalTime: evalMs / 1000,
    execQueueTime: queueMs / 1000,
    execTotalTime: (queueMs + prepareMs + evalMs) / 1000,
  });
  yield `,"stats":{"timings":${timings},"samples":{`;
  if (samplesPerStep) {
    if (view.steps)
      yield `"totalQueryableSamplesPerStep":${stepsJson(samplesPerStep, view.steps)},`;
    const total = samplesPerStep.reduce((sum, count) => sum + count, 0);
    yield `"totalQueryableSamples":${total},`;
  }
  yield `"samplesRead":${stats.samplesRead},"peakSamples":${stats.peakSamples}}`;
  // Absent where everything was read, as clients of Prometheus know it.
  const missing = view.missing?.() ?? [];
  if (missing.length > 0) yield `,"missing":${JSON.stringify(missing.map(missingJson))}`;
  yield '}';
}

function stepsJson(
  perStep: Float64Array,
  { startMs, stepMs }: { readonly startMs: number; readonly stepMs: number },
): string {
  const steps = Array.from(perStep, (n, i) => `[${formatSeconds(startMs + i * stepMs)},${n}]`);
  return `[${steps.join()}]`;
}
