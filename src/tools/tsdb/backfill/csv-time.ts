// How a column of times is read.

/** Forms of times, by the names of the `--time-format` flag. */
export const TIME_FORMATS = ['unix', 'unix_ms', 'unix_us', 'unix_ns', 'rfc3339'] as const;

/** One form of times. */
export type TimeFormat = (typeof TIME_FORMATS)[number];

const NUMBER = /^-?\d+(\.\d+)?$/;
const MS_PER_UNIT: Readonly<Record<Exclude<TimeFormat, 'rfc3339'>, number>> = {
  unix: 1000,
  unix_ms: 1,
  unix_us: 1e-3,
  unix_ns: 1e-6,
};
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Unix ms of a text, rounded, or null where it is no time of that form. */
export function parseTime(text: string, format: TimeFormat): number | null {
  if (format === 'rfc3339') {
    const ms = RFC3339.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN;
    return Number.isNaN(ms) ? null : ms;
  }
  if (!NUMBER.test(text)) return null;
  if (format === 'unix_ns' || format === 'unix_us') return fractionOfMs(text, format);
  return Math.round(Number(text) * MS_PER_UNIT[format]);
}

// Nanoseconds since 1970 are no safe integers: what lies below the ms is cut off before they are read.
function fractionOfMs(text: string, format: 'unix_us' | 'unix_ns'): number {
  const digits = format === 'unix_ns' ? 6 : 3;
  const whole = text.replace(/\..*$/, '');
  if (whole.length <= 15) return Math.round(Number(whole) * MS_PER_UNIT[format]);
  const ms = Number(whole.slice(0, -digits));
  const half = Number(whole.at(-digits)) >= 5 ? Math.sign(ms) : 0;
  return ms + half;
}
