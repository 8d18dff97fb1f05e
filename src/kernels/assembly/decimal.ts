// Doubles as text: the shortest decimal digits that read back as the same double, by Schubfach (Raffaello
// Giulietti, "The Schubfach way to render doubles"), and short cuts for whole numbers and thousandths.

/** Room for the longest number and what is written past it. */
export const DECIMAL_BYTES: u32 = 48;

/** Powers of ten as 128-bit fractions, high word first: 10^−292 … 10^324, each rounded up. */
export const POWERS: usize = 64;
export const POWER_MIN: i32 = -292;
export const POWER_MAX: i32 = 324;
export const POWERS_BYTES: usize = 617 << 4;

/** Digits on their way out. */
const SCRATCH: usize = POWERS + POWERS_BYTES;
export const DECIMAL_END: usize = SCRATCH + 64;

const BLOCK: u64 = 100_000_000;
const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = 0x000fffffffffffff;
/** Decimals of up to 15 digits are told apart by their doubles. */
const PLAIN_MAX: f64 = 1e15;

const NAN: u32 = 0x4e614e; // NaN
const INFINITE: u32 = 0x666e49; // Inf
const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const POINT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const EXPONENT: u8 = 0x65;
/** Eight digits 0. */
const ZEROS: u64 = 0x3030303030303030;
/** `0.000000` */
const POINT_ZEROS: u64 = 0x3030303030302e30;

/**
 * Writes a number as Prometheus' API does: an exponent below 1e-6 and from 1e21 on, `NaN`, `+Inf`, `-Inf`,
 * `-0`. Returns the address behind it. DECIMAL_BYTES may be written to.
 */
export function writeNumber(at: usize, value: f64): usize {
  const bits = reinterpret<u64>(value);
  if (value != value) {
    store<u32>(at, NAN);
    return at + 3;
  }
  if (<i64>bits < 0) store<u8>(at++, MINUS);
  const size = abs(value);
  if (size < PLAIN_MAX) {
    const whole = floor(size);
    if (whole == size) return writeWhole(at, <u64>whole);
    const scaled = nearest(size * 1000);
    if (scaled < PLAIN_MAX && scaled / 1000 == size) return writeThousandths(at, <u64>scaled);
  } else if (size == Infinity) {
    if (<i64>bits >= 0) store<u8>(at++, PLUS);
    store<u32>(at, INFINITE);
    return at + 3;
  }
  return writeShortest(at, bits & 0x7fffffffffffffff);
}

function writeThousandths(at: usize, scaled: u64): usize {
  const whole = scaled / 1000;
  const rest = <u32>(scaled - whole * 1000);
  at = writeWhole(at, whole);
  store<u8>(at, POINT);
  const tens = rest / 10;
  store<u8>(at, ZERO + <u8>(rest / 100), 1);
  store<u8>(at, ZERO + <u8>(tens % 10), 2);
  store<u8>(at, ZERO + <u8>(rest % 10), 3);
  if (rest != tens * 10) return at + 4;
  return tens % 10 != 0 ? at + 3 : at + 2;
}

/** Writes a whole number below 10^16; the address behind it. Up to 8 bytes more may be written to. */
export function writeWhole(at: usize, whole: u64): usize {
  const high = whole / BLOCK;
  if (high == 0) return writeBlock(at, <u32>whole);
  at = writeBlock(at, <u32>high);
  store<u64>(at, blockOf(<u32>(whole - high * BLOCK)) | ZEROS);
  return at + 8;
}

/** Writes a number of at most eight digits. */
// @ts-ignore: decorator
@inline
function writeBlock(at: usize, small: u32): usize {
  const block = blockOf(small);
  const unused = min<u32>(<u32>ctz<u64>(block) >> 3, 7);
  store<u64>(at, (block | ZEROS) >> (unused << 3));
  return at + 8 - unused;
}

/** Eight decimal digits, one a byte, the first in the lowest: halves, quarters, digits side by side. */
// @ts-ignore: decorator
@inline
function blockOf(small: u32): u64 {
  const upper = small / 10_000;
  const halves = <u64>upper | (<u64>(small - upper * 10_000) << 32);
  const hundreds = ((halves * 10_486) >> 20) & 0x0000007f0000007f;
  const quarters = ((halves - 100 * hundreds) << 16) + hundreds;
  const tens = ((quarters * 103) >> 10) & 0x000f000f000f000f;
  return ((quarters - 10 * tens) << 8) + tens;
}

/** A positive finite number of any size. */
function writeShortest(at: usize, bits: u64): usize {
  const fraction = bits & FRACTION;
  const biased = <i32>(bits >> FRACTION_BITS);
  const c = biased == 0 ? fraction : fraction | (<u64>1 << FRACTION_BITS);
  const q = biased == 0 ? -1074 : biased - 1075;
  const isLowerCloser = fraction == 0 && biased > 1;
  const isOdd = c & 1;

  const k = (q * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22;
  const h = q + ((-k * 1_741_647) >> 19) + 1;
  const power = POWERS + (<usize>(-k - POWER_MIN) << 4);
  const high = load<u64>(power);
  const low = load<u64>(power, 8);
  const lower = roundToOdd(high, low, ((c << 2) - 2 + <u64>isLowerCloser) << h) + isOdd;
  const middle = roundToOdd(high, low, (c << 2) << h);
  const upper = roundToOdd(high, low, ((c << 2) + 2) << h) - isOdd;

  const s = middle >> 2;
  if (s >= 10) {
    const tens = s / 10;
    const isUnder = lower <= 40 * tens;
    const isOver = 40 * tens + 40 <= upper;
    if (isUnder != isOver) return writeDigits(at, tens + <u64>isOver, k + 1);
  }
  const isUnder = lower <= s << 2;
  const isOver = (s << 2) + 4 <= upper;
  if (isUnder != isOver) return writeDigits(at, s + <u64>isOver, k);
  const half = (s << 2) + 2;
  const isUp = middle > half || (middle == half && (s & 1) != 0);
  return writeDigits(at, s + <u64>isUp, k);
}

// @ts-ignore: decorator
@inline
function roundToOdd(high: u64, low: u64, factor: u64): u64 {
  const carry = highProduct(low, factor);
  const sum = high * factor + carry;
  const top = highProduct(high, factor) + <u64>(sum < carry);
  return top | <u64>(sum > 1);
}

/** The upper 64 bits of a product. */
// @ts-ignore: decorator
@inline
function highProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const cross = aHigh * bLow;
  const other = aLow * bHigh;
  const middle = ((aLow * bLow) >> 32) + (cross & 0xffffffff) + (other & 0xffffffff);
  return aHigh * bHigh + (cross >> 32) + (other >> 32) + (middle >> 32);
}

/** Writes digits·10^exponent; there are at most 17 digits. */
function writeDigits(at: usize, digits: u64, exponent: i32): usize {
  const upper = digits / (BLOCK * BLOCK);
  const rest = digits - upper * (BLOCK * BLOCK);
  const middle = rest / BLOCK;
  const first = blockOf(<u32>upper);
  const second = blockOf(<u32>middle);
  const third = blockOf(<u32>(rest - middle * BLOCK));
  store<u64>(SCRATCH, first | ZEROS);
  store<u64>(SCRATCH, second | ZEROS, 8);
  store<u64>(SCRATCH, third | ZEROS, 16);
  let from: u32 = 16 + (<u32>ctz<u64>(third) >> 3);
  if (first != 0) from = <u32>ctz<u64>(first) >> 3;
  else if (second != 0) from = 8 + (<u32>ctz<u64>(second) >> 3);
  let to: u32 = 8 - (<u32>clz<u64>(first) >> 3);
  if (third != 0) to = 24 - (<u32>clz<u64>(third) >> 3);
  else if (second != 0) to = 16 - (<u32>clz<u64>(second) >> 3);

  const source = SCRATCH + from;
  const count = <i32>(to - from);
  const point = <i32>(24 - from) + exponent;
  if (point > 21 || point <= -6) return writeScientific(at, source, count, point - 1);
  if (point <= 0) {
    store<u64>(at, POINT_ZEROS);
    const start = at + 2 - point;
    copyDigits(start, source);
    return start + count;
  }
  copyDigits(at, source);
  if (point >= count) {
    for (let place = at + count; place < at + point; place++) store<u8>(place, ZERO);
    return at + point;
  }
  store<u8>(at + point, POINT);
  v128.store(at + point + 1, v128.load(source + point));
  return at + count + 1;
}

/** Copies 17 digits, and what lies behind them. */
// @ts-ignore: decorator
@inline
function copyDigits(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  store<u8>(to, load<u8>(from, 16), 16);
}

function writeScientific(at: usize, source: usize, count: i32, exponent: i32): usize {
  store<u8>(at, load<u8>(source));
  at++;
  if (count > 1) {
    store<u8>(at, POINT);
    v128.store(at + 1, v128.load(source + 1));
    at += count;
  }
  store<u8>(at, EXPONENT);
  store<u8>(at, exponent < 0 ? MINUS : PLUS, 1);
  const size = <u32>abs(exponent);
  // At least two digits, as Go writes them.
  if (size >= 10) return writeBlock(at + 2, size);
  store<u8>(at, ZERO, 2);
  store<u8>(at, ZERO + <u8>size, 3);
  return at + 4;
}
