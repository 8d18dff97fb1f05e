// How long work tells how far it is. Whoever shows it decides how and how often.

/** Receives the advance of one piece of work, phase by phase. Cheap to call often. */
export interface ProgressSink {
  /**
   * Begins a phase and ends the one before. `total` is null where the end is not known; `unit` is what is
   * counted: `bytes` is shown in KiB and MiB, everything else as a number with its name.
   */
  phase(name: string, total: number | null, unit: string): void;
  /** How much of the phase is done, from its begin. */
  at(done: number): void;
}

/** For callers that nobody watches. */
export const noProgress: ProgressSink = { phase() {}, at() {} };
