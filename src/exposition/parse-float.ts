// Numbers as Go's strconv.ParseFloat reads them: decimal, hexadecimal with a binary exponent, and the
// names of infinity and NaN in any case. What it refuses (underscores, overflow, `0x1` without an
// exponent) is refused here.

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/;
const INFINITY = /^([+-]?)inf(inity)?$/i;

/** The number a token stands for, or null where it is none. `nan` has no sign. */
export function parseGoFloat(token: string): number | null {
  const integer = smallInteger(token);
  if (integer >= 0) return integer;
  if (DECIMAL.test(token)) return finite(Number(token));
  const infinity = INFINITY.exec(token);
  if (infinity) return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (token.length === 3 && token.toLowerCase() === 'nan') return Number.NaN;
  const hex = HEX.exec(token);
  return hex ? finite(hexFloat(hex[1]!, hex[2]!, hex[3]!, hex[4]!)) : null;
}

// Most values are short integers; reading them needs no regular expression.
function smallInteger(token: string): number {
  const { length } = token;
  if (length === 0 || length > 15) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = token.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function finite(value: number | null): number | null {
  return Number.isFinite(value) ? value : null;
}

function hexFloat(sign: string, whole: string, fraction: string, exponent: string): number | null {
  const digits = (whole + fraction).replace(/^0+/, '');
  if (whole === '' && fraction === '') return null;
  // Thirteen digits are exact in a double; further ones are beyond any value seen in this format.
  if (digits.length > 13) return null;
  const mantissa = digits === '' ? 0 : Number.parseInt(digits, 16);
  const value = mantissa * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}
