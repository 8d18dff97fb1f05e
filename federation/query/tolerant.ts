// One endpoint's part of an answer. Where partial answers are wanted, its failure becomes a warning that
// names it and the others' data stands; where not, it is an error that names it.

import { OutpostError } from '../../src/lifecycle/errors.ts';
import { LimitError } from '../../src/promql/limits/query-limits.ts';
import type { LabelAnswer } from '../../src/storage/queryable.ts';
import type { Series, SeriesSet } from '../../src/storage/series.ts';

/** Whose failure counts how. `onPartial` is told of each failure that became a warning. */
export interface Tolerance {
  readonly address: string;
  readonly partialResponse: boolean;
  readonly onPartial: (reason: string) => void;
}

/** The set of an endpoint, opened already; its series keep coming until it fails. */
export function tolerantSet(set: SeriesSet, tolerance: Tolerance): SeriesSet {
  let failure: string | null = null;
  return {
    lasting: set.lasting ?? false,
    get warnings() {
      const own = set.warnings.map(warning => named(tolerance.address, warning));
      return failure === null ? own : [...own, failure];
    },
    async next(): Promise<readonly Series[] | null> {
      if (failure !== null) return null;
      try {
        return await set.next();
      } catch (thrown) {
        failure = tolerate(thrown, tolerance);
        return null;
      }
    },
    close: () => set.close(),
  };
}

/** The names or values of an endpoint. */
export async function tolerantAnswer(
  answer: Promise<LabelAnswer>,
  tolerance: Tolerance,
): Promise<LabelAnswer> {
  try {
    const { values, warnings } = await answer;
    return { values, warnings: warnings.map(warning => named(tolerance.address, warning)) };
  } catch (thrown) {
    return { values: [], warnings: [tolerate(thrown, tolerance)] };
  }
}

/** Any other part of an answer; null where it could not be had. */
export async function tolerantPart<Value>(
  answer: Promise<{ readonly value: Value; readonly warnings: readonly string[] }>,
  tolerance: Tolerance,
): Promise<{ readonly value: Value | null; readonly warnings: readonly string[] }> {
  try {
    const { value, warnings } = await answer;
    return { value, warnings: warnings.map(warning => named(tolerance.address, warning)) };
  } catch (thrown) {
    return { value: null, warnings: [tolerate(thrown, tolerance)] };
  }
}

const NAMED_MAX = 5;

type Missing = readonly { readonly address: string; readonly error: string | null }[];

/** Warnings about endpoints that are not asked. */
export function describeMissing(missing: Missing): string[] {
  const shown = missing
    .slice(0, NAMED_MAX)
    .map(({ address, error }) => named(address, `not asked because it is not healthy: ${error}`));
  const more = missing.length - shown.length;
  return more > 0 ? [...shown, `${more} more endpoints are not healthy`] : shown;
}

/** Throws `unavailable` where an endpoint cannot be asked. */
export function refuseMissing(missing: Missing): void {
  if (missing.length > 0) {
    throw new OutpostError('unavailable', describeMissing(missing).join('; '));
  }
}

/** The warning a failure becomes. Rethrows it, named, where it must not. */
function tolerate(thrown: unknown, { address, partialResponse, onPartial }: Tolerance): string {
  // The query's own limit is no fault of an endpoint.
  if (thrown instanceof LimitError) throw thrown;
  const error = OutpostError.from(thrown);
  const text = named(address, error.message);
  // A query that was cancelled has no use for what is left, and a mistake is one at every endpoint.
  if (!partialResponse || error.code === 'canceled' || error.code === 'bad-data') {
    throw new OutpostError(error.code, text, { cause: error });
  }
  onPartial(text);
  return text;
}

function named(address: string, text: string): string {
  return `endpoint ${address}: ${text}`;
}
