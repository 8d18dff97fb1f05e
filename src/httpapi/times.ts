// Moments and lengths of time in request parameters: float seconds, RFC 3339, or PromQL durations.

import { DURATION_MS_MAX, parseDuration as parseUnits } from '../encoding/units.ts';
import { parseGoFloat } from '../exposition/parse-float.ts';

/** The earliest and the latest moment asked for where a request names none, in Unix ms. */
export const TIME_MIN = Number.MIN_SAFE_INTEGER;
export const TIME_MAX = Number.MAX_SAFE_INTEGER;

// Clients send back the bounds as Prometheus formats them; no calendar of ours holds those years.
const TIME_MIN_TEXT = '-292273086-05-16T16:47:06Z';
const TIME_MAX_TEXT = '292277025-08-18T07:12:54.999999999Z';
const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Unix ms, or null where the text is no moment. */
export function parseTime(text: string): number | null {
  const seconds = parseGoFloat(text);
  if (seconds !== null) {
    const ms = Math.round(seconds * 1000);
    return Number.isSafeInteger(ms) ? ms : null;
  }
  if (text === TIME_MIN_TEXT) return TIME_MIN;
  if (text === TIME_MAX_TEXT) return TIME_MAX;
  return parseRfc3339(text);
}

function parseRfc3339(text: string): number | null {
  const parts = RFC3339.exec(text);
  if (!parts || Number(parts[2]) > 23) return null;
  const [, date, hours, rest, fraction = '', zone] = parts;
  const ms = Date.parse(`${date}T${hours}:${rest}${zone!.toUpperCase()}`);
  if (Number.isNaN(ms)) return null;
  // The calendar rolls the 31st of February over instead of refusing it.
  if (new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().slice(0, 10) !== date) return null;
  return ms + Math.trunc(Number(`0${fraction}`) * 1000);
}

/** Milliseconds, rounded, or null where the text is no duration or too long a one. */
export function parseDuration(text: string): number | null {
  const seconds = parseGoFloat(text);
  if (seconds === null) return parseUnits(text);
  const ms = Math.round(seconds * 1000);
  return Math.abs(ms) <= DURATION_MS_MAX ? ms : null;
}
