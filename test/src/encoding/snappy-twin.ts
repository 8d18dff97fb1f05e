// Snappy's block format read byte by byte: the oracle of the decoder's tests.

/** Decompresses what stands behind a block's header into exactly `length` bytes; null where it is damaged. */
export function plainDecode(body: Uint8Array, length: number): Uint8Array | null {
  const output = new Uint8Array(length);
  let out = 0;
  let at = 0;
  while (at < body.length) {
    const tag = body[at++]!;
    const kind = tag & 3;
    const width = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind;
    if (width > body.length - at) return null;
    let number = 0;
    for (let i = width - 1; i >= 0; i--) number = number * 256 + body[at + i]!;
    at += width;
    const size =
      kind === 1 ? ((tag >> 2) & 7) + 4 : kind === 0 && width > 0 ? number + 1 : (tag >> 2) + 1;
    const offset = kind === 1 ? (tag >> 5) * 256 + number : number;
    if (size > length - out) return null;
    if (kind === 0) {
      if (size > body.length - at) return null;
      for (let i = 0; i < size; i++) output[out++] = body[at++]!;
    } else {
      if (offset === 0 || offset > out) return null;
      for (let i = 0; i < size; i++, out++) output[out] = output[out - offset]!;
    }
  }
  return out === length ? output : null;
}
