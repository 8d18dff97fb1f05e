// Order of texts as people expect it: runs of digits compare as numbers.

const CHUNKS = /\d+|\D+/g;

/** Compares two texts: negative, 0 or positive. */
export function compareNatural(a: string, b: string): number {
  const x = a.match(CHUNKS) ?? [];
  const y = b.match(CHUNKS) ?? [];
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    const order = compareChunks(x[i]!, y[i]!);
    if (order !== 0) return order;
  }
  return x.length - y.length || (a < b ? -1 : a > b ? 1 : 0);
}

function compareChunks(a: string, b: string): number {
  const digits = /^\d/;
  if (digits.test(a) && digits.test(b)) {
    const x = a.replace(/^0+/, '');
    const y = b.replace(/^0+/, '');
    if (x.length !== y.length) return x.length - y.length;
    if (x !== y) return x < y ? -1 : 1;
    return 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
