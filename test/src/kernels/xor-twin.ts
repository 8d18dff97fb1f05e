// The XOR chunk codec in plain TypeScript: short and slow, the oracle of the kernel. 64-bit words travel
// as two 32-bit halves; times are safe integers.

const TWO_32 = 0x1_0000_0000;

/** Columns with their exact length. */
export interface Columns {
  times: Float64Array;
  values: Float64Array;
}

class BitReader {
  #bit = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#bit >> 3];
      if (byte === undefined) throw new Error('truncated');
      value = value * 2 + ((byte >> (7 - (this.#bit & 7))) & 1);
      this.#bit++;
    }
    return value;
  }

  /** A varint as two halves. */
  uvarint(): [high: number, low: number] {
    let high = 0;
    let low = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bits(8);
      if (shift === 63 && byte > 1) throw new Error('varint over 64 bits');
      const part = byte & 0x7f;
      if (shift < 32) low = (low | (part << shift)) >>> 0;
      if (shift === 28) high = part >>> 4;
      if (shift > 28) high = (high | (part << (shift - 32))) >>> 0;
      if (byte < 0x80) return [high, low];
    }
  }

  varint(): number {
    const [high, low] = this.uvarint();
    const half = (high >>> 1) * TWO_32 + (((high << 31) | (low >>> 1)) >>> 0);
    return low & 1 ? -half - 1 : half;
  }
}

class BitWriter {
  readonly #bytes: number[] = [];
  #bit = 0;

  bits(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      if (this.#bit % 8 === 0) this.#bytes.push(0);
      if (Math.floor(value / 2 ** i) % 2 === 1)
        this.#bytes[this.#bit >> 3]! |= 0x80 >> (this.#bit & 7);
      this.#bit++;
    }
  }

  uvarint(value: number): void {
    for (; value >= 0x80; value = Math.floor(value / 128)) this.bits((value % 128) + 128, 8);
    this.bits(value, 8);
  }

  varint(value: number): void {
    // A zig-zag word of a safe integer may take 54 bits: its lowest is written apart.
    const positive = value < 0 ? -value - 1 : value;
    const low = (positive % 64) * 2 + (value < 0 ? 1 : 0);
    const rest = Math.floor(positive / 64);
    this.bits(rest === 0 ? low : low + 128, 8);
    if (rest !== 0) this.uvarint(rest);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function leadingZeros(high: number, low: number): number {
  return high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low);
}

function trailingZeros(high: number, low: number): number {
  const of = (word: number) => 31 - Math.clz32(word & -word);
  return low !== 0 ? of(low) : 32 + of(high);
}

/** `count` bits of the word (high, low) that start `trailing` bits from its right end. */
function writeWindow(
  out: BitWriter,
  word: [high: number, low: number],
  leading: number,
  trailing: number,
): void {
  for (let bit = 63 - leading; bit >= trailing; bit--)
    out.bits((bit >= 32 ? word[0] >>> (bit - 32) : word[1] >>> bit) & 1, 1);
}

/** The samples' chunk, as Prometheus writes it. */
export function encodeXorTwin(times: Float64Array, values: Float64Array): Uint8Array {
  const words = new Uint32Array(values.slice().buffer);
  const out = new BitWriter();
  out.bits(times.length, 16);
  let leading = -1;
  let trailing = 0;
  for (let i = 0; i < times.length; i++) {
    const word: [number, number] = [words[2 * i + 1]!, words[2 * i]!];
    if (i === 0) {
      out.varint(times[0]!);
      writeWindow(out, word, 0, 0);
      continue;
    }
    writeStep(out, times, i);
    const changed: [number, number] = [
      (word[0] ^ words[2 * i - 1]!) >>> 0,
      (word[1] ^ words[2 * i - 2]!) >>> 0,
    ];
    if (changed[0] === 0 && changed[1] === 0) {
      out.bits(0, 1);
      continue;
    }
    const newLeading = Math.min(31, leadingZeros(...changed));
    const newTrailing = trailingZeros(...changed);
    if (leading >= 0 && newLeading >= leading && newTrailing >= trailing) {
      out.bits(0b10, 2);
    } else {
      leading = newLeading;
      trailing = newTrailing;
      out.bits(0b11, 2);
      out.bits(leading, 5);
      out.bits((64 - leading - trailing) % 64, 6);
    }
    writeWindow(out, changed, leading, trailing);
  }
  return out.finish();
}

function writeStep(out: BitWriter, times: Float64Array, i: number): void {
  const step = times[i]! - times[i - 1]!;
  if (i === 1) {
    out.uvarint(step);
    return;
  }
  const change = step - (times[i - 1]! - times[i - 2]!);
  if (change === 0) {
    out.bits(0, 1);
    return;
  }
  for (const [width, prefix, length] of [
    [14, 0b10, 2],
    [17, 0b110, 3],
    [20, 0b1110, 4],
  ] as const) {
    const half = 2 ** (width - 1);
    if (change <= -half || change > half) continue;
    out.bits(prefix, length);
    out.bits(change < 0 ? change + 2 ** width : change, width);
    return;
  }
  out.bits(0b1111, 4);
  const high = Math.floor(change / TWO_32);
  out.bits(high < 0 ? high + TWO_32 : high, 32);
  out.bits(change - high * TWO_32, 32);
}

/** The chunk's samples. Throws where the bytes are no chunk. */
export function decodeXorTwin(data: Uint8Array): Columns {
  const bits = new BitReader(data);
  const count = bits.bits(16);
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  const words = new Uint32Array(values.buffer);
  let step = 0;
  let leading = 0;
  let significant = 64;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      times[0] = bits.varint();
      words[1] = bits.bits(32);
      words[0] = bits.bits(32);
      continue;
    }
    step = readStep(bits, i, step);
    times[i] = times[i - 1]! + step;
    let high = words[2 * i - 1]!;
    let low = words[2 * i - 2]!;
    if (bits.bits(1) === 1) {
      if (bits.bits(1) === 1) {
        leading = bits.bits(5);
        significant = bits.bits(6) || 64;
        if (leading + significant > 64) throw new Error('impossible window');
      }
      const start = 63 - leading;
      for (let bit = start; bit > start - significant; bit--) {
        if (bits.bits(1) === 0) continue;
        if (bit >= 32) high ^= 2 ** (bit - 32);
        else low ^= 2 ** bit;
      }
    }
    words[2 * i + 1] = high;
    words[2 * i] = low;
  }
  return { times, values };
}

function readStep(bits: BitReader, i: number, step: number): number {
  if (i === 1) {
    const [high, low] = bits.uvarint();
    return (high | 0) * TWO_32 + low;
  }
  let ones = 0;
  while (ones < 4 && bits.bits(1) === 1) ones++;
  if (ones === 0) return step;
  if (ones === 4) {
    const high = bits.bits(32) | 0;
    return step + high * TWO_32 + bits.bits(32);
  }
  const width = 11 + 3 * ones;
  const raw = bits.bits(width);
  return step + (raw > 2 ** (width - 1) ? raw - 2 ** width : raw);
}
