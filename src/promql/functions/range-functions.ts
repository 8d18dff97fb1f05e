// Every range function by name.

import { OVER_TIME } from './over-time.ts';
import type { RangeFunctionFactory } from './range-function.ts';
import { RATES } from './rate.ts';
import { REGRESSIONS } from './regression.ts';

export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunctionFactory> = new Map(
  Object.entries({ ...RATES, ...OVER_TIME, ...REGRESSIONS }),
);

/** Functions whose answer is one of the samples, so that the metric keeps its name. */
export const NAME_KEEPING: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time']);
