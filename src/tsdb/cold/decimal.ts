// Doubles as decimals: most measured values were made from a whole number and a power of ten, and dividing
// the two again gives the same 64 bits. Sums of such values are off by a few units in the last place,
// which are kept beside. The idea of decimals is that of ALP (Afroozeh, Kuffó, Boncz: SIGMOD 2024).

import { INTEGER_MAX } from './integer-column.ts';

const POWERS = Float64Array.from({ length: 19 }, (_, i) => Number(`1e${i}`));
// Sums of decimals with more places than this do not occur.
const PLACES_OF_SUMS = 12;
const SAMPLED = 64;
// Beyond this many bits a sample the raw bits are no longer.
const BITS_MAX = 44;
// Farther apart than this the difference of two doubles' bits is no small whole number.
const HIGH_WORDS_APART_MAX = 1 << 15;

/** Values as `mantissa / 10^places`, up to `ulps` and the exceptions. */
export interface Decimals {
  readonly places: number;
  readonly mantissas: Float64Array;
  /** Steps of one unit in the last place from the quotient to the value; null where all are 0. */
  readonly ulps: Float64Array | null;
  /** Indices, from 0 on, of values that are stored as they are; their mantissas repeat the one before. */
  readonly exceptions: readonly number[];
}

/** Turns columns of values into decimals, with buffers of its own for columns up to `capacity`. */
export class DecimalSplitter {
  readonly #mantissas: Float64Array;
  readonly #ulps: Float64Array;
  readonly #pair = new Float64Array(2);
  readonly #words = new Int32Array(this.#pair.buffer);
  readonly #lows = new Uint32Array(this.#pair.buffer);

  constructor(capacity: number) {
    this.#mantissas = new Float64Array(capacity);
    this.#ulps = new Float64Array(capacity);
  }

  /** The samples from…to−1, or null where they are no decimals. Valid until the next call. */
  split(values: Float64Array, from: number, to: number): Decimals | null {
    const exceptionsMax = (to - from) >> 3;
    const places = exactPlaces(values, from, to, exceptionsMax);
    if (places >= 0) {
      const exceptions = this.#divide(values, from, to, places, false);
      if (exceptions.length <= exceptionsMax) {
        return { places, mantissas: this.#mantissas, ulps: null, exceptions };
      }
    }
    const rough = this.#roughPlaces(values, from, to);
    if (rough < 0) return null;
    const exceptions = this.#divide(values, from, to, rough, true);
    if (exceptions.length > exceptionsMax) return null;
    return { places: rough, mantissas: this.#mantissas, ulps: this.#ulps, exceptions };
  }

  #divide(
    values: Float64Array,
    from: number,
    to: number,
    places: number,
    withUlps: boolean,
  ): number[] {
    const power = POWERS[places]!;
    const exceptions: number[] = [];
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      const mantissa = Math.round(value * power);
      const at = i - from;
      const ulps =
        Math.abs(mantissa) <= INTEGER_MAX ? this.#ulpsApart(value, mantissa / power) : NaN;
      if (ulps === 0 || (withUlps && !Number.isNaN(ulps))) {
        // Adding 0 turns −0, which varints do not know, into 0.
        this.#mantissas[at] = mantissa + 0;
        this.#ulps[at] = ulps;
      } else {
        this.#mantissas[at] = at > 0 ? this.#mantissas[at - 1]! : 0;
        this.#ulps[at] = 0;
        exceptions.push(at);
      }
    }
    // A leading exception has none before it to repeat.
    const first = exceptions.findIndex((at, i) => at !== i);
    const lead = first < 0 ? exceptions.length : first;
    if (lead > 0 && lead < to - from) this.#mantissas.fill(this.#mantissas[lead]!, 0, lead);
    return exceptions;
  }

  /** Places with the fewest bits for mantissa steps and ulps together; −1 where raw bits are as good. */
  #roughPlaces(values: Float64Array, from: number, to: number): number {
    const step = Math.max(1, Math.floor((to - from) / SAMPLED));
    let best = -1;
    let fewest = BITS_MAX;
    for (let places = 0; places <= PLACES_OF_SUMS; places++) {
      const power = POWERS[places]!;
      let bits = 0;
      let count = 0;
      for (let i = from + 1; i < to; i += step) {
        const mantissa = Math.round(values[i]! * power);
        const ulps = this.#ulpsApart(values[i]!, mantissa / power);
        if (Number.isNaN(ulps) || Math.abs(mantissa) > INTEGER_MAX) bits += 64;
        else {
          const moved = mantissa - Math.round(values[i - 1]! * power);
          bits += Math.log2(1 + Math.abs(moved)) + Math.log2(1 + Math.abs(ulps));
        }
        count++;
      }
      if (bits / count < fewest) {
        fewest = bits / count;
        best = places;
      }
    }
    return best;
  }

  /** How much larger the bits of `value` are, as whole numbers; NaN where they are far apart. */
  #ulpsApart(value: number, quotient: number): number {
    if (value === quotient && value !== 0) return 0;
    this.#pair[0] = value;
    this.#pair[1] = quotient + 0;
    const high = this.#words[1]! - this.#words[3]!;
    if (Math.abs(high) > HIGH_WORDS_APART_MAX) return NaN;
    return high * 0x1_0000_0000 + (this.#lows[0]! - this.#lows[2]!);
  }
}

/** The fewest places in which all but a few values are exact; −1 where there are too many others. */
function exactPlaces(
  values: Float64Array,
  from: number,
  to: number,
  exceptionsMax: number,
): number {
  let places = 0;
  let others = 0;
  let last = NaN;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (value === last) continue;
    last = value;
    let needed = places;
    for (; needed < POWERS.length; needed++) {
      const mantissa = Math.round(value * POWERS[needed]!);
      if (!(Math.abs(mantissa) <= INTEGER_MAX)) needed = POWERS.length;
      else if (mantissa / POWERS[needed]! === value) break;
    }
    if (needed < POWERS.length) places = needed;
    else if (++others > exceptionsMax) return -1;
  }
  return places;
}
