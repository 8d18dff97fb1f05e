// The exemplars of one commit: judged against the newest of their series, logged with the samples, added.

import type { Labels } from '../../../labels/labels.ts';
import { type Exemplar, exemplarProblem } from '../../../storage/exemplar.ts';
import { encodeExemplarsRecord, type LoggedExemplar } from '../../wal/exemplars-record.ts';
import type { Head } from '../head.ts';
import { compareExemplars } from './exemplar-store.ts';

interface Accepted extends LoggedExemplar {
  readonly labels: Labels;
}

/** Exemplars on their way into a head. */
export class ExemplarBatch {
  /** Exemplars that were queued and cannot be stored. */
  refused = 0;
  /** Those of them that are older than their series' newest. */
  outOfOrder = 0;
  readonly #head: Head;
  readonly #accepted: Accepted[] = [];
  readonly #newest = new Map<number, Exemplar | null>();

  constructor(head: Head) {
    this.#head = head;
  }

  /** How many are to be stored. */
  get accepted(): number {
    return this.#accepted.length;
  }

  /** Judges one. An exemplar that is there already is passed over. */
  add({ ref, exemplar }: LoggedExemplar): void {
    const { exemplars, index } = this.#head;
    const slot = index.table.slotOf(ref);
    if (exemplars.max === 0 || slot < 0 || exemplarProblem(exemplar) !== null) {
      this.refused++;
      return;
    }
    const labels = index.labelsOf(slot);
    let newest = this.#newest.get(ref);
    if (newest === undefined) this.#newest.set(ref, (newest = exemplars.newest(labels)));
    const order = newest ? compareExemplars(exemplar, newest) : 1;
    if (order < 0) {
      this.refused++;
      this.outOfOrder++;
    }
    if (order <= 0) return;
    this.#newest.set(ref, exemplar);
    this.#accepted.push({ ref, exemplar, labels });
  }

  /** The log record of what is to be stored, null where nothing is. */
  record(): Uint8Array | null {
    return this.#accepted.length > 0 ? encodeExemplarsRecord(this.#accepted) : null;
  }

  /** Stores them, and counts them and the refused ones. */
  apply(): void {
    const { exemplars, exemplarMetrics: metrics } = this.#head;
    for (const { labels, exemplar } of this.#accepted) exemplars.add(labels, exemplar);
    metrics.appended.inc(this.#accepted.length);
    metrics.outOfOrder.inc(this.outOfOrder);
    metrics.refused.inc(this.refused - this.outOfOrder);
  }
}
