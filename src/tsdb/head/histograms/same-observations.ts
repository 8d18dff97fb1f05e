// Is a histogram the one that is stored? Chunks keep empty buckets of their neighbours, so spans may differ
// where the observations are the same.

import type { FloatHistogram } from '../../../storage/histogram.ts';
import { type Buckets, bucketIndices } from '../../../storage/histogram-chunk/bucket-indices.ts';
import { sameHistogram } from '../../../storage/histogram-problem.ts';

/** True where both say the same: equal numbers in the same buckets, empty ones aside. Hints do not count. */
export function sameObservations(a: FloatHistogram, b: FloatHistogram): boolean {
  if (sameHistogram(a, b)) return true;
  const spreadAsB = {
    ...a,
    positiveSpans: b.positiveSpans,
    positiveBuckets: b.positiveBuckets,
    negativeSpans: b.negativeSpans,
    negativeBuckets: b.negativeBuckets,
  };
  return (
    sameHistogram(spreadAsB, b) &&
    sameBuckets(
      { spans: a.positiveSpans, counts: a.positiveBuckets },
      { spans: b.positiveSpans, counts: b.positiveBuckets },
    ) &&
    sameBuckets(
      { spans: a.negativeSpans, counts: a.negativeBuckets },
      { spans: b.negativeSpans, counts: b.negativeBuckets },
    )
  );
}

function sameBuckets(a: Buckets, b: Buckets): boolean {
  const ours = bucketIndices(a.spans);
  const theirs = bucketIndices(b.spans);
  let i = 0;
  let j = 0;
  for (;;) {
    while (i < ours.length && a.counts[i] === 0) i++;
    while (j < theirs.length && b.counts[j] === 0) j++;
    if (i === ours.length || j === theirs.length) return i === ours.length && j === theirs.length;
    if (ours[i] !== theirs[j] || a.counts[i] !== b.counts[j]) return false;
    i++;
    j++;
  }
}
