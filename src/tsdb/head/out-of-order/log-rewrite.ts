// Writes the out-of-order log anew from memory. Prometheus' own holds marks that point into files which
// are of no use here and go; a Prometheus that comes later would take them for marks into its new ones.

import type { Slicer } from '../../../lifecycle/slicer.ts';
import { decodeChunk } from '../../../storage/chunks.ts';
import { SampleColumns } from '../../../storage/samples.ts';
import { dropReplaced } from '../../wal/checkpoint.ts';
import type { LogWriter } from '../../wal/log-writer.ts';
import { LoggedSamples, SamplesRecordWriter } from '../../wal/samples-record.ts';
import type { Head } from '../head.ts';
import { encodeHistograms, type LoggedHistogram } from '../histograms/mixed-records.ts';
import type { Generation } from './generation.ts';
import { generationsFrom } from './store.ts';

const RECORD_SAMPLES_MAX = 4096;
const RECORD_HISTOGRAMS_MAX = 512;

/**
 * Logs every sample of the head's out-of-order store to `log`, which has just been opened, and then
 * removes the segments before it. Throws `unavailable` where the disk refuses; nothing is removed then.
 */
export async function rewriteOutOfOrderLog(
  head: Head,
  dir: string,
  log: LogWriter,
  slicer: Slicer,
): Promise<void> {
  const first = log.segment;
  const writer = new RecordWriter(log);
  for (const generation of generationsFrom(head.outOfOrder.oldest)) {
    for (const ref of generation.refs()) {
      writer.add(generation, ref);
      if (slicer.due) await slicer.pause();
    }
  }
  writer.flush();
  await log.sync();
  dropReplaced(dir, first - 1);
}

class RecordWriter {
  readonly #log: LogWriter;
  readonly #columns = new SampleColumns();
  readonly #batch = new LoggedSamples();
  readonly #histograms: LoggedHistogram[] = [];
  readonly #encoder = new SamplesRecordWriter();

  constructor(log: LogWriter) {
    this.#log = log;
    this.#batch.clear(RECORD_SAMPLES_MAX);
  }

  add(generation: Generation, ref: number): void {
    const columns = this.#columns;
    columns.clear();
    const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    for (const chunk of generation.chunks(ref, ...everything, generation.lastChunk)) {
      decodeChunk(chunk, ...everything, columns);
    }
    generation.copyFloats(ref, columns);
    generation.copyHistograms(ref, columns);
    for (let i = 0; i < columns.length; i++) {
      const histogram = columns.histograms?.[i];
      if (histogram) {
        this.#histograms.push({ ref, time: columns.times[i]!, histogram });
        if (this.#histograms.length === RECORD_HISTOGRAMS_MAX) this.flush();
        continue;
      }
      const at = this.#batch.length++;
      this.#batch.refs[at] = ref;
      this.#batch.times[at] = columns.times[i]!;
      this.#batch.values[at] = columns.values[i]!;
      if (this.#batch.length === RECORD_SAMPLES_MAX) this.flush();
    }
  }

  flush(): void {
    const record = this.#encoder.encode(this.#batch, () => true);
    const records = [...(record ? [record] : []), ...encodeHistograms(this.#histograms)];
    if (records.length > 0) this.#log.log(records);
    this.#batch.clear(RECORD_SAMPLES_MAX);
    this.#histograms.length = 0;
  }
}
