// The staleness marker is one signalling NaN among many. Arithmetic and plain arrays turn it into the
// ordinary NaN, so it is only ever written and recognised by its bits, in typed arrays.

/** High 32 bits of the marker 0x7ff0000000000002. */
export const STALE_HIGH = 0x7ff00000;
/** Low 32 bits of the marker. */
export const STALE_LOW = 2;

/** Writes the marker at `index`. */
export function setStale(values: Float64Array, index: number): void {
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  words[0] = STALE_LOW;
  words[1] = STALE_HIGH;
}

/** True where `values[index]` holds the marker (little-endian hosts, as all of Node's are). */
export function isStaleAt(values: Float64Array, index: number): boolean {
  // The bits are looked at only where the value is some NaN.
  const value = values[index]!;
  if (!Number.isNaN(value)) return false;
  const words = new Uint32Array(values.buffer, values.byteOffset + index * 8, 2);
  return words[0] === STALE_LOW && words[1] === STALE_HIGH;
}

const one = new Float64Array(1);
const oneWords = new Uint32Array(one.buffer);

/** True for the marker's bits. Works where a number has not been through arithmetic. */
export function isStale(value: number): boolean {
  if (!Number.isNaN(value)) return false;
  one[0] = value;
  return oneWords[0] === STALE_LOW && oneWords[1] === STALE_HIGH;
}
