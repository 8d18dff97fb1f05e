// Who is told of queries: a journal that knows what runs now, a log that keeps what has run.

import type { QueryStats } from '../result.ts';

/** Knows the queries that run. What it knows must outlive the process. */
export interface QueryJournal {
  /** Notes a query; the number is for `end`. */
  begin(text: string): number;
  end(entry: number): void;
}

/** Whose query it is. */
export interface QueryOrigin {
  /** Queries of one source share their places fairly with those of others: an address, or a part's name. */
  readonly source: string;
  /** What the query log says of it: fields that stand in the line as they are. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** One query that has ended. */
export interface QueryRecord {
  readonly text: string;
  /** Unix ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  /** Null where it failed before it was evaluated. */
  readonly stats: QueryStats | null;
  /** Null where it was answered. */
  readonly error: string | null;
  readonly origin: QueryOrigin | undefined;
}

/** Takes each query that has ended. Must not throw. */
export type QueryLog = (record: QueryRecord) => void;
