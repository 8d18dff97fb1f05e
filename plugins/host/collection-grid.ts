// Collections lie on the grid of the interval by the wall clock, so that samples of all plugins and hosts
// line up and regular timestamps compress to almost nothing.

/** A collection this near its grid point, as a share of the interval, is stamped with the point. */
const TOLERANCE = 0.01;
const TOLERANCE_MIN_MS = 2;

/**
 * The grid point to collect at next. `last` is the one collected at before: a timer may fire a moment
 * before its point, which is then not collected twice.
 */
export function nextPoint(now: number, last: number, intervalMs: number): number {
  const next = (Math.floor(now / intervalMs) + 1) * intervalMs;
  return next === last ? next + intervalMs : next;
}

/** The samples' time for a collection that starts at `now` and was planned for `point`. */
export function sampleTime(now: number, point: number, intervalMs: number): number {
  const tolerance = Math.max(TOLERANCE_MIN_MS, intervalMs * TOLERANCE);
  return Math.abs(now - point) <= tolerance ? point : now;
}
