// Columns of samples to JSON text, in the memory of one WebAssembly instance.

import { assert } from '../lifecycle/errors.ts';
import { type Kernels, newKernels } from './load.ts';

const PAGE_BYTES = 65_536;
const WORD = (1n << 64n) - 1n;

/** Writes samples as the query API shows them. Not for use across threads. */
export class SampleText {
  /** The most samples one call takes. */
  readonly samplesMax: number;
  readonly #kernels: Kernels;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #text: Uint8Array;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    this.#kernels = newKernels(memory);
    memory.grow(Math.ceil(this.#kernels.TEXT_BYTES.value / PAGE_BYTES));
    const { TEXT, TEXT_TIMES, TEXT_VALUES, TEXT_SAMPLES } = this.#kernels;
    this.samplesMax = TEXT_SAMPLES.value;
    this.#times = new Float64Array(memory.buffer, TEXT_TIMES.value, this.samplesMax);
    this.#values = new Float64Array(memory.buffer, TEXT_VALUES.value, this.samplesMax);
    this.#text = new Uint8Array(memory.buffer, TEXT.value);
    writePowers(new BigUint64Array(memory.buffer, this.#kernels.POWERS.value), this.#kernels);
  }

  /**
   * The samples from…to−1, at most `samplesMax`, as `[seconds,"value"],…`: ASCII, valid until the next
   * call. Times are whole Unix ms. Values have the shortest digits that read back the same.
   */
  write(times: Float64Array, values: Float64Array, from: number, to: number): Uint8Array {
    assert(to - from <= this.samplesMax, `text of ${to - from} samples`);
    this.#times.set(times.subarray(from, to));
    this.#values.set(values.subarray(from, to));
    return this.#text.subarray(0, this.#kernels.textSamples(to - from));
  }
}

/** Powers of ten with 128 bits, the highest one set, rounded up; high word first. */
function writePowers(out: BigUint64Array, { POWER_MIN, POWER_MAX }: Kernels): void {
  let i = 0;
  for (let power = POWER_MIN.value; power <= POWER_MAX.value; power++) {
    const shift = BigInt(127 - Math.floor(power * Math.log2(10)));
    const ten = 10n ** BigInt(Math.abs(power));
    const numerator = power < 0 ? 1n << shift : shift > 0n ? ten << shift : ten;
    const denominator = power < 0 ? ten : shift < 0n ? 1n << -shift : 1n;
    const fraction = (numerator + denominator - 1n) / denominator;
    out[i++] = fraction >> 64n;
    out[i++] = fraction & WORD;
  }
}

let shared: SampleText | undefined;

/** This thread's writer. */
export function sampleText(): SampleText {
  shared ??= new SampleText();
  return shared;
}
