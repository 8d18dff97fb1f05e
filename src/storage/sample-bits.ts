// Equality of sample values by their bits: 0 and −0 differ, and so do the many kinds of NaN.

/** True where both columns hold the same 64 bits at these indexes (little-endian hosts). */
export function sameBits(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  const x = a[i]!;
  const y = b[j]!;
  if (x === y) return x !== 0 || Object.is(x, y);
  if (!Number.isNaN(x) || !Number.isNaN(y)) return false;
  const p = new Uint32Array(a.buffer, a.byteOffset + i * 8, 2);
  const q = new Uint32Array(b.buffer, b.byteOffset + j * 8, 2);
  return p[0] === q[0] && p[1] === q[1];
}
