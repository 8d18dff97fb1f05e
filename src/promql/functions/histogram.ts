// Functions of one native histogram. Floats are left out.

import type { FloatHistogram } from '../../storage/histogram.ts';
import { CUSTOM_BUCKETS_SCHEMA } from '../../storage/histogram.ts';
import { KahanSum } from '../go-math.ts';
import { allBuckets } from '../histogram/buckets.ts';
import type { BlockChange } from '../operators/map.ts';

function eachHistogram(compute: (histogram: FloatHistogram) => number): BlockChange {
  return block => {
    const { values, present, histograms } = block;
    for (let cell = 0; cell < block.rows.length * block.steps; cell++) {
      const histogram = histograms?.[cell];
      if (histogram) values[cell] = compute(histogram);
      else present[cell] = 0;
    }
    block.histograms = null;
  };
}

const variances = new KahanSum();

/** Every observation counts as the middle of its bucket: geometric, or arithmetic in custom buckets. */
function variance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const custom = histogram.schema === CUSTOM_BUCKETS_SCHEMA;
  variances.reset();
  for (const { lower, upper, count } of allBuckets(histogram)) {
    if (count === 0) continue;
    let middle: number;
    if (custom) middle = (upper + lower) / 2;
    else if (lower <= 0 && upper >= 0) middle = 0;
    else middle = Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
    const delta = middle - mean;
    variances.add(count * delta * delta);
  }
  return variances.value / histogram.count;
}

/** The changes of the family by function name. */
export const HISTOGRAM_PARTS: ReadonlyMap<string, BlockChange> = new Map([
  ['histogram_count', eachHistogram(histogram => histogram.count)],
  ['histogram_sum', eachHistogram(histogram => histogram.sum)],
  ['histogram_avg', eachHistogram(histogram => histogram.sum / histogram.count)],
  ['histogram_stdvar', eachHistogram(variance)],
  ['histogram_stddev', eachHistogram(histogram => Math.sqrt(variance(histogram)))],
]);
