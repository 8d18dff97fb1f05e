// Numbers and strings as the language writes them. Numbers follow Go's rules (underscores,
// hex, a leading zero is octal); strings follow Go's escapes.

/** The value of a number literal; NaN for text that is none. */
export function parseNumber(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[+-]/, '');
  if (digits === 'inf') return sign * Number.POSITIVE_INFINITY;
  if (digits === 'nan') return Number.NaN;
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8);
  return sign * Number(digits);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const ESCAPE =
  /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]?))/g;

/**
 * The text a quoted literal stands for. Bytes that are not UTF-8 become lone surrogates U+DC80–U+DCFF,
 * so that `isWellFormed` tells them. Throws SyntaxError.
 */
export function unquote(literal: string): string {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (quote === '`') return body;
  let bytes = false;
  const text = body.replace(ESCAPE, (whole, simple, hex, octal, short, long) => {
    if (simple !== undefined) {
      if ((simple === '"' || simple === "'") && simple !== quote) throw unknownEscape(simple);
      return ESCAPES[simple]!;
    }
    const byte = hex ?? octal;
    if (byte !== undefined) {
      const code = Number.parseInt(byte, hex === undefined ? 8 : 16);
      if (code > 255) throw new SyntaxError('escape sequence is an invalid Unicode code point');
      if (code < 0x80) return String.fromCharCode(code);
      bytes = true;
      return String.fromCharCode(0xdc00 + code);
    }
    const wide = short ?? long;
    if (wide === undefined) throw unknownEscape(whole.slice(1));
    const code = Number.parseInt(wide, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      throw new SyntaxError('escape sequence is an invalid Unicode code point');
    }
    return String.fromCodePoint(code);
  });
  return bytes ? joinBytes(text) : text;
}

function unknownEscape(character: string): SyntaxError {
  if (character === '') return new SyntaxError('escape sequence not terminated');
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return new SyntaxError(`unknown escape sequence U+${code} '${character}'`);
}

/** Runs of escaped bytes that form UTF-8 become the characters they encode. */
function joinBytes(text: string): string {
  return text.replace(/[\udc80-\udcff]+/g, run => {
    const bytes = Uint8Array.from(run, unit => unit.charCodeAt(0) - 0xdc00);
    const decoded = new TextDecoder().decode(bytes);
    return decoded.includes('\ufffd') ? run : decoded;
  });
}

/** A double-quoted literal, with escapes as Go's %q writes them. */
export function quote(text: string): string {
  let out = '"';
  for (const character of text) out += quoteCharacter(character);
  return out + '"';
}

function quoteCharacter(character: string): string {
  const named = Object.entries(ESCAPES).find(([n, c]) => c === character && n !== "'")?.[0];
  if (named !== undefined) return '\\' + named;
  const code = character.codePointAt(0)!;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return character;
}
