// CRC-32C (Castagnoli), the checksum of Prometheus' index, chunks and log. Slicing by sixteen: as many
// tables let one step take as many bytes.

const REFLECTED_POLYNOMIAL: u32 = 0x82f63b78;
const TABLE_BYTES: u32 = 1024;

/** Bytes that the tables take. */
export const CRC_TABLES_BYTES: u32 = 16 * TABLE_BYTES;

/** Builds the tables; once a memory. */
export function crc32cTables(tables: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ REFLECTED_POLYNOMIAL : crc >> 1;
    store<u32>(tables + (byte << 2), crc);
  }
  for (let at = tables + TABLE_BYTES, end = tables + CRC_TABLES_BYTES; at < end; at += 4) {
    const previous = load<u32>(at - TABLE_BYTES);
    store<u32>(at, load<u32>(tables + ((previous & 0xff) << 2)) ^ (previous >> 8));
  }
}

// @ts-ignore: decorator
@inline
function look(tables: usize, table: u32, byte: u64): u32 {
  return load<u32>(tables + (<usize>(<u32>byte & 0xff) << 2) + table * TABLE_BYTES);
}

// @ts-ignore: decorator
@inline
function lookEight(tables: usize, highest: u32, word: u64): u32 {
  return (
    look(tables, highest, word) ^
    look(tables, highest - 1, word >> 8) ^
    look(tables, highest - 2, word >> 16) ^
    look(tables, highest - 3, word >> 24) ^
    look(tables, highest - 4, word >> 32) ^
    look(tables, highest - 5, word >> 40) ^
    look(tables, highest - 6, word >> 48) ^
    look(tables, highest - 7, word >> 56)
  );
}

/** The checksum of the bytes, or of those of `previous` continued by them. */
export function crc32c(tables: usize, data: usize, size: u32, previous: u32): u32 {
  let crc = ~previous;
  const end = data + size;
  for (; data + 16 <= end; data += 16) {
    crc = lookEight(tables, 15, load<u64>(data) ^ <u64>crc) ^ lookEight(tables, 7, load<u64>(data, 8));
  }
  for (; data < end; data++) crc = look(tables, 0, <u64>(crc ^ <u32>load<u8>(data))) ^ (crc >> 8);
  return ~crc;
}
