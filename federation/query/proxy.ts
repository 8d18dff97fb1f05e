// Many endpoints as one store: asks those that can have something, merges what they send, and says what
// is missing. Bounded in time by each client's frame timeout and in memory by the streams' windows.

import type { ReadObserver, ReadPlace } from '../../src/httpapi/read-observer.ts';
import type { Matcher } from '../../src/labels/matcher.ts';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { limitSeries } from '../../src/storage/limited-set.ts';
import { type CombineSeries, mergeSeriesSets } from '../../src/storage/merge.ts';
import { limited, sorted, unionAnswers } from '../../src/storage/merge-queryables.ts';
import type {
  LabelAnswer,
  Querier,
  Queryable,
  SelectOptions,
} from '../../src/storage/queryable.ts';
import type { Series, SeriesSet } from '../../src/storage/series.ts';
import { listSeriesSet, readSeries } from '../../src/storage/series-list.ts';
import { withoutLabels } from '../../src/storage/stripped-series.ts';
import type { Endpoint } from './endpoint-set.ts';
import { type PruneQuery, pruneReason, selected } from './prune.ts';
import { describeMissing, refuseMissing, tolerantAnswer, tolerantSet } from './tolerant.ts';

export interface ProxyOptions {
  readonly endpoints: () => readonly Endpoint[];
  /** Removed from the series before they are merged. */
  readonly replicaLabels: readonly string[];
  /** False: an endpoint that cannot answer fails the whole. */
  readonly partialResponse: boolean;
  readonly storeMatch: PruneQuery['storeMatch'];
  /** Told of each failure that has become a warning. */
  readonly onPartial: () => void;
  /** Told of the endpoints that are asked, and of those whose part is missing. */
  readonly observer?: ReadObserver;
  /** How series with the same labels become one; default: chained. */
  readonly combine?: (range: SelectRange, options?: SelectOptions) => CombineSeries;
}

export interface SelectRange {
  readonly minTime: number;
  readonly maxTime: number;
}

/** The union of the endpoints. */
export function newProxy(options: ProxyOptions): Queryable {
  return {
    querier: (minTime, maxTime) => new ProxyQuerier(options, { minTime, maxTime }),
  };
}

/** An endpoint to be asked, with its querier. */
interface Asked {
  readonly endpoint: Endpoint;
  readonly querier: Querier;
}

class ProxyQuerier implements Querier {
  readonly #options: ProxyOptions;
  readonly #range: SelectRange;
  readonly #queriers = new Set<Querier>();

  constructor(options: ProxyOptions, range: SelectRange) {
    this.#options = options;
    this.#range = range;
  }

  async select(matchers: readonly Matcher[], options?: SelectOptions): Promise<SeriesSet> {
    const { asked, warnings } = this.#ask(matchers);
    const sets = await this.#selectAll(asked, matchers, options);
    if (warnings.length > 0) sets.push(listSeriesSet([], warnings));
    const combine = this.#options.combine?.(this.#range, options);
    const merged = mergeSeriesSets(sets, combine ? { combine } : {});
    return limitSeries(merged, options?.hints?.limit ?? 0);
  }

  async labelNames(matchers: readonly Matcher[], options?: SelectOptions): Promise<LabelAnswer> {
    const answer = await this.#answers(matchers, querier => querier.labelNames(matchers, options));
    const values = answer.values.filter(name => !this.#options.replicaLabels.includes(name));
    return limited({ ...answer, values }, options);
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    options?: SelectOptions,
  ): Promise<LabelAnswer> {
    if (this.#options.replicaLabels.includes(name)) return { values: [], warnings: [] };
    const answer = this.#answers(matchers, querier => querier.labelValues(name, matchers, options));
    return limited(await answer, options);
  }

  close(): void {
    for (const querier of this.#queriers) querier.close();
  }

  /** Whom to ask, and what is known to be missing. */
  #ask(matchers: readonly Matcher[]): { asked: Asked[]; warnings: string[] } {
    const { storeMatch, partialResponse } = this.#options;
    const query: PruneQuery = { ...this.#range, matchers, storeMatch };
    const endpoints = this.#options.endpoints();
    const wanted = endpoints.filter(endpoint => isWanted(endpoint, query));
    const missing = wanted.filter(endpoint => !endpoint.healthy);
    const warnings = describeMissing(missing);
    if (!partialResponse) {
      if (endpoints.length === 0) {
        throw new OutpostError('unavailable', 'ask endpoints: none is configured');
      }
      refuseMissing(missing);
    }
    for (const endpoint of missing) this.#miss(endpoint, `it is not healthy: ${endpoint.error}`);
    const healthy = wanted.filter(endpoint => endpoint.healthy);
    for (const endpoint of healthy) this.#options.observer?.asked(this.#placeOf(endpoint));
    return { asked: healthy.map(endpoint => this.#open(endpoint)), warnings };
  }

  #open(endpoint: Endpoint): Asked {
    const { replicaLabels, partialResponse } = this.#options;
    const strips = endpoint.info?.store?.supportsWithoutReplicaLabels ?? false;
    const queryable = endpoint.client.reading({
      replicaLabels: strips ? replicaLabels : [],
      partialResponse,
    });
    const querier = queryable.querier(this.#range.minTime, this.#range.maxTime);
    this.#queriers.add(querier);
    return { endpoint, querier };
  }

  async #selectAll(
    asked: readonly Asked[],
    matchers: readonly Matcher[],
    options: SelectOptions | undefined,
  ): Promise<SeriesSet[]> {
    const sets: SeriesSet[] = [];
    try {
      for (const { endpoint, querier } of asked) {
        const set = await querier.select(matchers, sorted(options));
        const tolerant = tolerantSet(set, this.#tolerance(endpoint));
        sets.push(this.#stripped(endpoint, tolerant));
      }
      return sets;
    } catch (error) {
      for (const set of sets) set.close();
      throw error;
    }
  }

  /** Endpoints that cannot leave out labels send too many, in an order that is then no longer right. */
  #stripped(endpoint: Endpoint, set: SeriesSet): SeriesSet {
    const { replicaLabels } = this.#options;
    if (replicaLabels.length === 0) return set;
    if (endpoint.info?.store?.supportsWithoutReplicaLabels) return set;
    return resorted(withoutLabels(set, replicaLabels));
  }

  async #answers(
    matchers: readonly Matcher[],
    ask: (querier: Querier) => Promise<LabelAnswer>,
  ): Promise<LabelAnswer> {
    const { asked, warnings } = this.#ask(matchers);
    const answers = await Promise.all(
      asked.map(({ endpoint, querier }) => tolerantAnswer(ask(querier), this.#tolerance(endpoint))),
    );
    return unionAnswers([{ values: [], warnings }, ...answers]);
  }

  #tolerance(endpoint: Endpoint) {
    const { partialResponse } = this.#options;
    const onPartial = (reason: string): void => this.#miss(endpoint, reason);
    return { address: endpoint.address, partialResponse, onPartial };
  }

  #miss(endpoint: Endpoint, reason: string): void {
    this.#options.onPartial();
    const labelSets = (endpoint.info?.labelSets ?? []).map(labels => labels.toObject());
    this.#options.observer?.missing({ ...this.#placeOf(endpoint), labelSets, reason });
  }

  /** What the endpoint can have of the range. */
  #placeOf({ address, info }: Endpoint): ReadPlace {
    const { minTime, maxTime } = this.#range;
    return {
      place: `endpoint ${address}`,
      minTime: Math.max(minTime, info?.store?.minTime ?? minTime),
      maxTime: Math.min(maxTime, info?.store?.maxTime ?? maxTime),
    };
  }
}

function isWanted({ address, info }: Endpoint, query: PruneQuery): boolean {
  // Nobody knows what an endpoint has that has never answered.
  if (!info) return selected(address, query.storeMatch);
  return pruneReason(address, info, query) === null;
}

/** Reads a set whole and sorts it. */
function resorted(set: SeriesSet): SeriesSet {
  let list: SeriesSet | null = null;
  return {
    lasting: true,
    get warnings() {
      return set.warnings;
    },
    async next(): Promise<readonly Series[] | null> {
      if (!list) {
        const series = await readSeries(set);
        list = listSeriesSet(series.sort((a, b) => a.labels.compareTo(b.labels)));
      }
      return list.next();
    },
    close() {
      list?.close();
      set.close();
    },
  };
}
