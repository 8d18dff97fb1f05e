// Samples records: `2 baseRef:u64 baseTime:i64 (ref−base:varint time−base:varint value:f64)*`. Signed
// varints, whatever the format's drawing says. The encoder of a commit is the series arena's kernel; the
// one here serves checkpoints.

import { ReadBuffer } from '../../encoding/read-buffer.ts';
import { WriteBuffer } from '../../encoding/write-buffer.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { RECORD_SAMPLES } from './record-type.ts';

const INITIAL_CAPACITY = 1024;

/** Logged samples as columns. */
export class LoggedSamples {
  refs: Float64Array = new Float64Array(INITIAL_CAPACITY);
  times: Float64Array = new Float64Array(INITIAL_CAPACITY);
  values: Float64Array = new Float64Array(INITIAL_CAPACITY);
  length = 0;

  /** Makes room for `count` samples; what was held is lost. */
  clear(count: number): void {
    this.length = 0;
    if (count <= this.refs.length) return;
    const capacity = Math.max(count, this.refs.length * 2);
    this.refs = new Float64Array(capacity);
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }
}

// Two one-byte deltas and a value.
const SAMPLE_BYTES_MIN = 10;

/** Replaces `out`'s content by the record's samples, bit by bit. Throws `corrupt`. */
export function decodeSamplesRecord(record: Uint8Array, out: LoggedSamples): void {
  out.clear(Math.ceil(record.length / SAMPLE_BYTES_MIN));
  const buffer = new ReadBuffer(record, 1);
  if (buffer.remaining === 0) return;
  const baseRef = buffer.u64();
  const baseTime = buffer.i64();
  const words = new Uint32Array(out.values.buffer);
  let n = 0;
  while (buffer.remaining > 0) {
    out.refs[n] = baseRef + buffer.varint();
    out.times[n] = baseTime + buffer.varint();
    words[2 * n + 1] = buffer.u32();
    words[2 * n] = buffer.u32();
    n++;
  }
  if (buffer.error !== null) throw new OutpostError('corrupt', `samples record: ${buffer.error}`);
  out.length = n;
}

/** Encodes samples `keep` of the columns, null where there are none. The view is valid until the next call. */
export class SamplesRecordWriter {
  readonly #buffer = new WriteBuffer(4096);

  encode(samples: LoggedSamples, keep: (index: number) => boolean): Uint8Array | null {
    const buffer = this.#buffer;
    buffer.reset();
    let base = -1;
    for (let i = 0; i < samples.length; i++) {
      if (!keep(i)) continue;
      if (base < 0) {
        base = i;
        buffer.u8(RECORD_SAMPLES);
        buffer.u64(samples.refs[i]!);
        buffer.u64(samples.times[i]!);
      }
      buffer.varint(samples.refs[i]! - samples.refs[base]!);
      buffer.varint(samples.times[i]! - samples.times[base]!);
      buffer.f64At(samples.values, i);
    }
    return base < 0 ? null : buffer.bytes();
  }
}
