// The abbreviation of the time zone in force ("CET"), read from the system's TZif file (RFC 9636), for no
// JavaScript API tells it.

const HEADER_BYTES = 44;
const MAGIC = 0x545a6966;

/**
 * The abbreviation that `tzif` has for the UTC offset, its latest where it has several. Without a usable
 * file: UTC, or the offset as the zone database writes it ("+05", "-0330").
 */
export function zoneAbbreviation(tzif: Uint8Array | null, offsetSeconds: number): string {
  const fromFile = tzif && readAbbreviation(tzif, offsetSeconds);
  if (fromFile) return fromFile;
  if (offsetSeconds === 0) return 'UTC';
  const minutes = Math.abs(offsetSeconds) / 60;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const tail = minutes % 60 === 0 ? '' : two(minutes % 60);
  return `${offsetSeconds < 0 ? '-' : '+'}${two(minutes / 60)}${tail}`;
}

// The first, 32-bit block has all abbreviations in use in "fat" files; in "slim" ones it is empty and the
// 64-bit block after it counts.
function readAbbreviation(bytes: Uint8Array, offsetSeconds: number): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const first = readBlock(view, 0, 4);
    const isVersion1 = view.getUint8(4) === 0;
    const block = isVersion1 ? first : readBlock(view, first.end, 8);
    return findAbbreviation(view, block, offsetSeconds);
  } catch (error) {
    // A file cut short reads beyond its end.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

interface Block {
  readonly transitionTypes: number;
  readonly transitionCount: number;
  readonly types: number;
  readonly typeCount: number;
  readonly names: number;
  readonly end: number;
}

function readBlock(view: DataView, at: number, timeBytes: number): Block {
  if (view.getUint32(at) !== MAGIC) throw new RangeError('no TZif header');
  const [utCount, stdCount, leapCount, transitionCount, typeCount, nameBytes] = [
    20, 24, 28, 32, 36, 40,
  ].map(offset => view.getUint32(at + offset)) as [number, number, number, number, number, number];
  const transitionTypes = at + HEADER_BYTES + transitionCount * timeBytes;
  const types = transitionTypes + transitionCount;
  const names = types + typeCount * 6;
  const end = names + nameBytes + leapCount * (timeBytes + 4) + stdCount + utCount;
  return { transitionTypes, transitionCount, types, typeCount, names, end };
}

function findAbbreviation(view: DataView, block: Block, offsetSeconds: number): string | null {
  const offsetOf = (type: number): number => view.getInt32(block.types + type * 6);
  for (let i = block.transitionCount - 1; i >= 0; i--) {
    const type = view.getUint8(block.transitionTypes + i);
    if (offsetOf(type) === offsetSeconds) return nameOf(view, block, type);
  }
  for (let type = block.typeCount - 1; type >= 0; type--) {
    if (offsetOf(type) === offsetSeconds) return nameOf(view, block, type);
  }
  return null;
}

function nameOf(view: DataView, block: Block, type: number): string {
  let text = '';
  let at = block.names + view.getUint8(block.types + type * 6 + 5);
  for (let byte = view.getUint8(at); byte !== 0; byte = view.getUint8(++at)) {
    text += String.fromCharCode(byte);
  }
  return text;
}
