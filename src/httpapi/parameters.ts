// What a request asks for: the query string and, for POST, the form body, read as Prometheus reads them.

import type { Matcher } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { parseAnySelector } from '../promql/parser.ts';
import { invalidParameter } from './problem.ts';
import { parseDuration, parseTime, TIME_MAX, TIME_MIN } from './times.ts';

/** The parameters of one request. A value in the body wins over one in the query string. */
export class Parameters {
  readonly #values: URLSearchParams;

  /** Parses `application/x-www-form-urlencoded` texts, the more important first. */
  constructor(...texts: readonly string[]) {
    this.#values = new URLSearchParams(texts.filter(text => text !== '').join('&'));
  }

  /** The first value, '' where there is none. */
  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  /** All values of a parameter that may be repeated. */
  all(name: string): readonly string[] {
    return this.#values.getAll(name);
  }

  /** The same parameters, with a value for one that is not given. */
  withDefault(name: string, value: string): Parameters {
    if (this.#values.has(name)) return this;
    return new Parameters(
      this.#values.toString(),
      new URLSearchParams({ [name]: value }).toString(),
    );
  }

  /** A moment in Unix ms. Throws bad-data. */
  time(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === '') return fallback;
    const time = parseTime(text);
    if (time !== null) return time;
    const reason = `cannot parse ${JSON.stringify(text)} to a valid timestamp`;
    throw invalidParameter(name, `invalid time value for '${name}': ${reason}`);
  }

  /** A moment that must be given. Throws bad-data. */
  requiredTime(name: string): number {
    const text = this.text(name);
    const time = text === '' ? null : parseTime(text);
    if (time !== null) return time;
    throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }

  /** A length of time in ms; null where it is not given. Throws bad-data. */
  duration(name: string): number | null {
    const text = this.text(name);
    if (text === '') return null;
    const duration = parseDuration(text);
    if (duration !== null) return duration;
    throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  }

  /** `limit`: 0 where nothing is limited. Throws bad-data. */
  limit(name = 'limit'): number {
    const text = this.text(name);
    if (text === '') return 0;
    if (!/^[+-]?\d{1,15}$/.test(text)) throw invalidParameter(name, notWhole(text));
    if (Number(text) < 0) throw invalidParameter(name, `${name} must be non-negative`);
    return Number(text);
  }

  /** `start` and `end` of the metadata endpoints: all of time where they are not given. */
  range(): { minTime: number; maxTime: number } {
    const minTime = this.time('start', TIME_MIN);
    const maxTime = this.time('end', TIME_MAX);
    if (maxTime < minTime) {
      throw invalidParameter('end', 'end timestamp must not be before start time');
    }
    return { minTime, maxTime };
  }

  /** The selectors of `match[]`, one list of matchers each; each names something. Throws bad-data. */
  selectors(): Matcher[][] {
    const selectors = this.anySelectors();
    if (selectors.some(matchers => matchers.every(matcher => matcher.matchesEmpty))) {
      throw invalidParameter('match[]', 'match[] must contain at least one non-empty matcher');
    }
    return selectors;
  }

  /** The same, where a selector may also be for everything. Throws bad-data. */
  anySelectors(): Matcher[][] {
    return this.all('match[]').map(parseMatchers);
  }
}

/** Why a text is no whole number, in the words that Prometheus' clients know. */
function notWhole(text: string): string {
  const reason = /^[+-]?\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
  return `strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`;
}

function parseMatchers(text: string): Matcher[] {
  try {
    return [...parseAnySelector(text).matchers];
  } catch (error) {
    if (error instanceof OutpostError && error.code === 'bad-data') {
      throw invalidParameter('match[]', error.message);
    }
    throw error;
  }
}
