// CRC-32C (Castagnoli), the checksum of index, chunk and log records. zlib's crc32 is another polynomial.
// Slicing by eight: eight tables let one step take eight bytes.

const REFLECTED_POLYNOMIAL = 0x82f63b78;
const tables: Uint32Array = buildTables();

/** The CRC-32C of the bytes, or of `previous` continued by them. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      tables[1792 + (crc & 0xff)]! ^
      tables[1536 + ((crc >>> 8) & 0xff)]! ^
      tables[1280 + ((crc >>> 16) & 0xff)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[i + 4]!]! ^
      tables[512 + bytes[i + 5]!]! ^
      tables[256 + bytes[i + 6]!]! ^
      tables[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = tables[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function buildTables(): Uint32Array {
  const out = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 1 ? (crc >>> 1) ^ REFLECTED_POLYNOMIAL : crc >>> 1;
    out[byte] = crc;
  }
  for (let i = 256; i < out.length; i++) {
    const previous = out[i - 256]!;
    out[i] = out[previous & 0xff]! ^ (previous >>> 8);
  }
  return out;
}
