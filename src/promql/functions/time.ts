// Parts of a date. Values are Unix seconds; everything is UTC.

import type { BlockChange } from '../operators/map.ts';
import { eachFloat } from './math.ts';

/** Furthest second a Date can hold. */
const SECONDS_MAX = 8_640_000_000_000;

const DAY_MS = 86_400_000;

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

/** Functions of a date by name. */
export const DATE_PARTS: Readonly<Record<string, (date: Date) => number>> = {
  minute: date => date.getUTCMinutes(),
  hour: date => date.getUTCHours(),
  day_of_week: date => date.getUTCDay(),
  day_of_month: date => date.getUTCDate(),
  day_of_year: dayOfYear,
  days_in_month: daysInMonth,
  month: date => date.getUTCMonth() + 1,
  year: date => date.getUTCFullYear(),
};

/** The part of the time at `seconds`; NaN beyond what dates can hold. */
export function datePart(part: (date: Date) => number, seconds: number): number {
  if (!(Math.abs(seconds) <= SECONDS_MAX)) return Number.NaN;
  return part(new Date(Math.trunc(seconds) * 1000));
}

/** The change that puts a part of the date in place of every float. */
export function dateChange(part: (date: Date) => number): BlockChange {
  return eachFloat(seconds => datePart(part, seconds));
}
