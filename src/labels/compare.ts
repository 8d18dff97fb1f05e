// String order by UTF-8 bytes. Label names, label values and series are ordered this way on disk and on
// the wire; JavaScript's `<` compares UTF-16 code units, which puts U+E000–U+FFFF after the
// supplementary planes.

/** Compares two strings as their UTF-8 encodings would compare: negative, 0 or positive. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates (D800–DFFF) stand for code points above U+FFFF, so they sort after E000–FFFF.
      if (x >= 0xd800 && y >= 0xd800) return codePointRank(x) - codePointRank(y);
      return x - y;
    }
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
