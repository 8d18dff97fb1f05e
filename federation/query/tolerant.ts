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
