// The role of everything that finds targets. What is found is sets of labels in groups; what becomes of
// them (names, dropping, addresses) is decided by relabelling alone.

/** Labels of one target; `__address__` is where it is. */
export type TargetLabels = Readonly<Record<string, string>>;

/** Targets that come and go together. */
export interface TargetGroup {
  /** Tells groups of one discoverer apart: a later group replaces an earlier one of the same source. */
  readonly source: string;
  readonly targets: readonly TargetLabels[];
  /** Of every target of the group that has no label of that name itself. */
  readonly labels: TargetLabels;
}

/** Takes groups that are new or have changed; one without targets is gone. */
export type PublishGroups = (groups: readonly TargetGroup[]) => void;

/** One way of finding targets. */
export interface Discoverer {
  /** For logs and metrics, such as `file`. */
  readonly name: string;
  /**
   * Publishes what it finds until the signal aborts; all groups first, later those that changed. What it
   * cannot find at the moment it tries again; it never rejects.
   */
  run(signal: AbortSignal, publish: PublishGroups): Promise<void>;
}
