// Numbers straight from bytes. Up to fifteen digits and a small power of ten are exact in one operation,
// which is nearly all there is; everything else goes through text.

import { parseGoFloat } from '../parse-float.ts';

const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
const DIGITS_EXACT = 15;

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

/** The number in bytes[start, end) as Go reads it; null where it is none. */
export function scanFloat(bytes: Uint8Array, start: number, end: number): number | null {
  let at = start;
  const isNegative = bytes[at] === MINUS;
  if (isNegative || bytes[at] === PLUS) at++;
  let mantissa = 0;
  let digits = 0;
  let power = 0;
  let isFraction = false;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (isFraction) power--;
    } else if (bytes[at] === POINT && !isFraction) isFraction = true;
    else break;
  }
  if (digits === 0 || digits > DIGITS_EXACT) return slow(bytes, start, end);
  if (at < end) {
    if ((bytes[at]! | 0x20) !== 0x65) return slow(bytes, start, end);
    const exponent = scanExponent(bytes, at + 1, end);
    if (exponent === null) return slow(bytes, start, end);
    power += exponent;
  }
  if (power < -22 || power > 22) return slow(bytes, start, end);
  const value = power < 0 ? mantissa / EXACT_POWERS[-power]! : mantissa * EXACT_POWERS[power]!;
  return isNegative ? -value : value;
}

function scanExponent(bytes: Uint8Array, start: number, end: number): number | null {
  let at = start;
  const isNegative = bytes[at] === MINUS;
  if (isNegative || bytes[at] === PLUS) at++;
  if (at >= end || end - at > 4) return null;
  let exponent = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return null;
    exponent = exponent * 10 + digit;
  }
  return isNegative ? -exponent : exponent;
}

function slow(bytes: Uint8Array, start: number, end: number): number | null {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return parseGoFloat(text);
}

/** A whole number of ms in bytes[start, end), perhaps negative; null where it is none. */
export function scanInteger(bytes: Uint8Array, start: number, end: number): number | null {
  let at = start;
  const isNegative = bytes[at] === MINUS;
  if (isNegative) at++;
  if (at >= end || end - at > DIGITS_EXACT) return null;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
