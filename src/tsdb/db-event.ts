// What a database has to tell an operator beside its log lines and counters.

/** Something rare that somebody may want to act on. */
export interface DbEvent {
  /** Low-cardinality name such as `storage.blocks-deleted-early`. */
  readonly name: string;
  readonly severity: 'info' | 'warn' | 'error';
  /** One sentence. */
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}
