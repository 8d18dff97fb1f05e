// Whether a name looks like a counter's.

import { quote } from '../literals.ts';

/** What counters' names end in. */
export const COUNTER_NAME = /(?:_total|_sum|_count|_bucket)$/;

/** The remark on a rate over something that is not called a counter. */
export function notCounterInfo(metricName: string): string {
  return `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(metricName)}`;
}
