// The oracle of the cold kernel: the same columns read with BigInt, one varint after the other.

/** Reads bytes that may be anything; every read beyond the end throws. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) throw new RangeError('end');
    return this.#bytes[this.#at++]!;
  }

  uvarint(): bigint {
    let value = 0n;
    for (let i = 0n; i < 10n; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << (7n * i);
      if (byte < 0x80) {
        if (i === 9n && byte > 1) break;
        return value;
      }
    }
    throw new RangeError('varint');
  }

  varint(): bigint {
    const word = this.uvarint();
    return (word >> 1n) ^ -(word & 1n);
  }

  bits(): bigint {
    let value = 0n;
    for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(this.byte());
    return value;
  }
}

/** The bits of the values of a column. Throws RangeError for bytes that are none. */
export function readValuesTwin(bytes: Uint8Array, count: number): BigUint64Array {
  const cursor = new Cursor(bytes);
  const kind = cursor.byte();
  if (kind === 0) return new BigUint64Array(count).fill(cursor.bits());
  if (kind === 1 || kind === 2) return readDecimals(cursor, count, kind === 2);
  if (kind === 3) return readRaw(cursor, count);
  throw new RangeError('kind');
}

/** The times of a column. Throws RangeError for bytes that are none. */
export function readTimesTwin(bytes: Uint8Array, count: number): Float64Array {
  const cursor = new Cursor(bytes);
  const first = cursor.varint();
  const step = cursor.uvarint();
  const off = readIntegers(cursor, count);
  return Float64Array.from(off, (late, i) =>
    Number(BigInt.asIntN(64, first + BigInt(i) * step + late)),
  );
}

function readIntegers(cursor: Cursor, count: number): bigint[] {
  const prediction = cursor.byte();
  let value = cursor.varint();
  if (prediction === 3) return Array.from({ length: count }, () => value);
  if (prediction === 0) {
    return Array.from({ length: count }, () => BigInt.asIntN(64, value + cursor.uvarint()));
  }
  if (prediction > 3) throw new RangeError('prediction');
  const out = [value];
  let slope = 0n;
  while (out.length < count) {
    const off = cursor.varint();
    slope = prediction === 2 ? slope + off : off;
    value = BigInt.asIntN(64, value + slope);
    out.push(value);
  }
  return out;
}

function readDecimals(cursor: Cursor, count: number, rough: boolean): BigUint64Array {
  const places = cursor.byte();
  if (places > 18) throw new RangeError('places');
  const mantissas = readIntegers(cursor, count);
  const values = Float64Array.from(mantissas, mantissa => Number(mantissa) / 10 ** places);
  const out = new BigUint64Array(values.buffer);
  if (rough) {
    readIntegers(cursor, count).forEach((ulps, i) => {
      out[i] = BigInt.asUintN(64, out[i]! + ulps);
    });
  }
  let at = 0n;
  for (let left = cursor.uvarint(); left > 0n; left--) {
    at = BigInt.asUintN(64, at + cursor.uvarint());
    const bits = cursor.bits();
    if (at >= BigInt(count)) throw new RangeError('exception');
    out[Number(at)] = bits;
  }
  return out;
}

function readRaw(cursor: Cursor, count: number): BigUint64Array {
  const out = new BigUint64Array(count);
  for (let plane = 0; plane < 8; plane++) {
    for (let i = 0; i < count; i++) out[i] = (out[i]! << 8n) | BigInt(cursor.byte());
  }
  for (let i = 1; i < count; i++) out[i]! ^= out[i - 1]!;
  return out;
}
