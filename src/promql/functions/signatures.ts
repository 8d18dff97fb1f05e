// What every function takes and returns. Implementations live beside this file, one family each.

import type { ValueType } from '../ast.ts';

/** The call contract of one function. */
export interface Signature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /** 0: exactly `args`; n: the last argument occurs 0 to n times; −1: any number of times. */
  readonly variadic: number;
  readonly returns: ValueType;
  readonly experimental: boolean;
}

const table = new Map<string, Signature>();

interface Traits {
  readonly variadic?: number;
  readonly returns?: ValueType;
  readonly experimental?: boolean;
}

function define(names: string, args: readonly ValueType[], traits: Traits = {}): void {
  const { variadic = 0, returns = 'vector', experimental = false } = traits;
  for (const name of names.split(' '))
    table.set(name, { name, args, variadic, returns, experimental });
}

define('abs ceil floor exp ln log2 log10 sqrt sgn deg rad', ['vector']);
define('sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh', ['vector']);
define('round', ['vector', 'scalar'], { variadic: 1 });
define('clamp', ['vector', 'scalar', 'scalar']);
define('clamp_min clamp_max', ['vector', 'scalar']);
define('pi time', [], { returns: 'scalar' });
define('start end step range', [], { returns: 'scalar', experimental: true });
define('min_of max_of', ['scalar', 'scalar'], { returns: 'scalar', experimental: true });
define('timestamp', ['vector']);
define('start_timestamp', ['vector'], { experimental: true });
define('minute hour day_of_week day_of_month day_of_year days_in_month month year', ['vector'], {
  variadic: 1,
});

define('rate increase delta irate idelta deriv resets changes', ['matrix']);
define('avg_over_time min_over_time max_over_time sum_over_time count_over_time', ['matrix']);
define('stddev_over_time stdvar_over_time last_over_time first_over_time', ['matrix']);
define('present_over_time absent_over_time', ['matrix']);
define('mad_over_time', ['matrix'], { experimental: true });
define('ts_of_first_over_time ts_of_last_over_time', ['matrix'], { experimental: true });
define('ts_of_min_over_time ts_of_max_over_time', ['matrix'], { experimental: true });
define('quantile_over_time', ['scalar', 'matrix']);
define('predict_linear', ['matrix', 'scalar']);
define('double_exponential_smoothing', ['matrix', 'scalar', 'scalar'], { experimental: true });

define('label_replace', ['vector', 'string', 'string', 'string', 'string']);
define('label_join', ['vector', 'string', 'string', 'string'], { variadic: -1 });
define('sort sort_desc absent', ['vector']);
define('sort_by_label sort_by_label_desc', ['vector', 'string'], {
  variadic: -1,
  experimental: true,
});
define('scalar', ['vector'], { returns: 'scalar' });
define('vector', ['scalar']);
define('info', ['vector', 'vector'], { variadic: 1, experimental: true });

define('histogram_count histogram_sum histogram_avg', ['vector']);
define('histogram_stddev histogram_stdvar', ['vector']);
define('histogram_fraction', ['scalar', 'scalar', 'vector']);
define('histogram_quantile', ['scalar', 'vector']);
define('histogram_quantiles', ['vector', 'string', 'scalar', 'scalar'], {
  variadic: 9,
  experimental: true,
});

/** Every function of the language by name. */
export const SIGNATURES: ReadonlyMap<string, Signature> = table;
