// Runs a request through a write intake and writes down what it read, in the words of the twin.

import { snappyHeader } from '../../src/encoding/snappy.ts';
import { NO_SERIES_REF, ScanStop, type WriteIntake } from '../../src/kernels/write-intake.ts';
import type { ReadRequest, ReadSeries } from '../src/kernels/write-request-twin.ts';

interface Stop {
  readonly histograms: number;
  readonly samples: number;
  readonly bytes: string;
}

/** Knows series by reference, as a store does; one for each intake. */
export class IntakeReading {
  readonly #intake: WriteIntake;
  readonly #labels: string[] = [];
  readonly #refs = new Map<string, number>();
  /** How often the intake asked for a series. */
  asked = 0;

  constructor(intake: WriteIntake) {
    this.#intake = intake;
  }

  /** Reads a compressed request; null where it is damaged. */
  read(body: Uint8Array): ReadRequest | null {
    const intake = this.#intake;
    const { bytes, length } = snappyHeader(body, 1 << 25);
    intake.load(body.subarray(bytes), length);
    while (!intake.decode());
    return this.again();
  }

  /** Reads the same request from its start. */
  again(): ReadRequest | null {
    const intake = this.#intake;
    intake.start();
    const metadata: string[] = [];
    const stops: Stop[] = [];
    for (let stop = intake.scan(true); stop !== ScanStop.end; stop = intake.scan(true)) {
      if (stop === ScanStop.damaged) return null;
      if (stop === ScanStop.metadata) metadata.push(Buffer.from(intake.found).toString('hex'));
      if (stop !== ScanStop.series) continue;
      stops.push({
        histograms: intake.foundHistograms,
        samples: intake.foundSamples,
        bytes: Buffer.from(intake.foundSeries).toString('hex'),
      });
      intake.settle(this.#refOf(Buffer.from(intake.found).toString('hex')));
    }
    return { series: this.#series(stops), metadata, exemplars: intake.exemplars };
  }

  #refOf(labels: string): number {
    const known = this.#intake.foundRef;
    if (known !== NO_SERIES_REF) {
      if (this.#labels[known] !== labels) throw new Error(`${labels} was taken for another series`);
      return known;
    }
    this.asked++;
    const ref = this.#refs.get(labels) ?? this.#labels.length;
    this.#refs.set(labels, ref);
    this.#labels[ref] = labels;
    this.#intake.remember(ref);
    return ref;
  }

  #series(stops: readonly Stop[]): ReadSeries[] {
    const { refs, times, values, seriesRefs, length } = this.#intake;
    const bits = Buffer.from(values.buffer, values.byteOffset, length * 8);
    let at = 0;
    return stops.map(({ samples: count, ...stop }, position) => {
      const ref = seriesRefs[position]!;
      const samples: [number, string][] = [];
      for (const end = at + count; at < end; at++) {
        if (refs[at] !== ref) throw new Error(`sample ${at} was given to series ${refs[at]}`);
        samples.push([times[at]!, bits.toString('hex', at * 8, at * 8 + 8)]);
      }
      return { ...stop, labels: this.#labels[ref]!, samples };
    });
  }
}
