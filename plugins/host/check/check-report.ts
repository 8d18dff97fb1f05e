// What a conformance check found.

/** One rule and whether the plugin keeps it. */
export interface Finding {
  /** A few words, as in 'refuses an unknown collector'. */
  readonly rule: string;
  /** Broken rules are failures; advice costs nobody anything. */
  readonly outcome: 'pass' | 'fail' | 'advice' | 'skipped';
  /** What was seen, and for a failure what to do; may be empty. */
  readonly detail: string;
}

/** What a plugin costs. */
export interface Cost {
  /** From the start of the process to its handshake. */
  readonly startMs: number;
  readonly collections: number;
  /** CPU of the plugin's processes for one collection, and the time one takes. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly wallMsMax: number;
  readonly memoryBytes: number;
  readonly series: number;
  readonly families: number;
  /** Bytes of the first answer, definitions included, and of a later one. */
  readonly firstBytes: number;
  readonly steadyBytes: number;
}

/** The whole of it. */
export interface CheckReport {
  /** '' where it did not get so far as to say. */
  readonly name: string;
  readonly version: string;
  readonly findings: readonly Finding[];
  /** Null where nothing could be collected. */
  readonly cost: Cost | null;
}

/** True where no rule is broken. */
export function isConformant({ findings }: CheckReport): boolean {
  return findings.every(({ outcome }) => outcome !== 'fail');
}
