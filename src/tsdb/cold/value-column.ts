// The values of a cold chunk: a kind byte, then what the kind asks for. Every kind gives back each of the
// 64 bits. src/kernels/assembly/cold.ts reads what is written here.

import type { WriteBuffer } from '../../encoding/write-buffer.ts';
import { sameBits } from '../../storage/sample-bits.ts';
import { DecimalSplitter, type Decimals } from './decimal.ts';
import { writeIntegers } from './integer-column.ts';

/** How values are stored. */
export const ValueKind = {
  /** All alike: 64 bits, big-endian. */
  constant: 0,
  /** Places, mantissas, exceptions. */
  decimal: 1,
  /** Places, mantissas, units in the last place, exceptions. */
  rough: 2,
  /** Bits XOR the bits before, most significant bytes of all first. */
  raw: 3,
} as const;

/** Writes values of up to `capacity` samples at a time. */
export class ValueColumnWriter {
  readonly #splitter: DecimalSplitter;

  constructor(capacity: number) {
    this.#splitter = new DecimalSplitter(capacity);
  }

  /** Appends the samples from…to−1, at least one. */
  write(out: WriteBuffer, values: Float64Array, from: number, to: number): void {
    if (isConstant(values, from, to)) {
      out.u8(ValueKind.constant);
      out.f64At(values, from);
      return;
    }
    const decimals = this.#splitter.split(values, from, to);
    if (decimals) writeDecimals(out, decimals, values, from, to);
    else writeRaw(out, values, from, to);
  }
}

function isConstant(values: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (!sameBits(values, i, values, from)) return false;
  return true;
}

function writeDecimals(
  out: WriteBuffer,
  { places, mantissas, ulps, exceptions }: Decimals,
  values: Float64Array,
  from: number,
  to: number,
): void {
  out.u8(ulps ? ValueKind.rough : ValueKind.decimal);
  out.u8(places);
  writeIntegers(out, mantissas, to - from);
  if (ulps) writeIntegers(out, ulps, to - from);
  out.uvarint(exceptions.length);
  let last = 0;
  for (const at of exceptions) {
    out.uvarint(at - last);
    out.f64At(values, from + at);
    last = at;
  }
}

function writeRaw(out: WriteBuffer, values: Float64Array, from: number, to: number): void {
  out.u8(ValueKind.raw);
  const words = new Uint32Array(values.buffer, values.byteOffset + from * 8, (to - from) * 2);
  for (const half of [1, 0]) {
    for (let shift = 24; shift >= 0; shift -= 8) {
      let last = 0;
      for (let i = half; i < words.length; i += 2) {
        out.u8(((words[i]! ^ last) >>> shift) & 0xff);
        last = words[i]!;
      }
    }
  }
}
