// Where a peer of an older version is right by its own rules. Each entry says which queries and why.

/** One difference between versions. */
export interface KnownDifference {
  /** The first version, major and minor, that agrees with us; null where none does. */
  readonly until: readonly [major: number, minor: number] | null;
  readonly why: string;
  /** True for queries it concerns. */
  readonly concerns: (query: string, reason: string) => boolean;
}

/** All of them. The data and the grammar avoid what can be avoided; see dataset.ts. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    until: [3, 0],
    why: 'atan2 between vectors keeps the metric name before 3.0',
    concerns: (query, reason) => query.includes('atan2') && reason.includes('["__name__","'),
  },
  {
    until: [3, 0],
    why: 'predict_linear of a range pinned by @ leaves steps out before 3.0',
    concerns: (query, reason) =>
      /predict_linear\(.*@/.test(query) && /values|they say/.test(reason),
  },
  {
    until: [3, 0],
    why: 'count_values by a label that sorts behind its own loses that label before 3.0',
    concerns: query => /count_values.*zone/.test(query),
  },
  {
    until: [3, 0],
    why: 'the deviation of NaN or infinity alone is 0 before 3.0',
    concerns: (query, reason) =>
      /std(?:dev|var)/.test(query) && /they say -?0, we NaN$/.test(reason),
  },
  {
    until: [3, 0],
    why: 'a second match that the comparison filters out is no error before 3.0',
    concerns: (_, reason) =>
      reason.startsWith('they answer something') && /many-to-one/.test(reason),
  },
  {
    until: [3, 0],
    why: 'a counter near zero is extrapolated further before 3.0; the data avoids it, subqueries cannot',
    concerns: (query, reason) =>
      /(?:rate|increase)\((?:\(|native)/.test(query) && /they say \S+, we \S+$/.test(reason),
  },
  {
    until: [3, 0],
    why: 'timestamp of a selector pinned by @ is found by the time of the step before 3.0',
    concerns: query => /timestamp\(.*@/.test(query),
  },
  {
    until: [3, 0],
    why: 'sums and averages are not compensated before 3.0, so that what cancels out leaves a rest',
    concerns: (query, reason) => /sum|avg/.test(query) && isRest(reason),
  },
  {
    until: [3, 0],
    why: 'the series of a subquery asked for by itself are in no order before 3.0',
    concerns: (query, reason) => /:\w*\][^\]]*$/.test(query) && reason.includes('is number'),
  },
  {
    until: null,
    why: 'the date of a number that is no time depends on the processor in Go (spec, conversions between numeric types); ours is NaN',
    concerns: query => /\b(?:minute|hour|day_of_\w+|days_in_month|month|year)\(/.test(query),
  },
];

/** A difference far below what the data has digits for. */
function isRest(reason: string): boolean {
  const match = /they say (\S+), we (\S+)$/.exec(reason);
  return match !== null && Math.abs(Number(match[1]) - Number(match[2])) < 1e-9;
}
