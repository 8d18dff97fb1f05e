// Numbers as Go's strconv prints them, which is what the field's parsers, golden files and eyes expect.
// All notations carry the shortest decimal digits that read back as the same double; JavaScript finds
// the same digits and differs only in when it uses an exponent and how it writes one.

/** As in text exposition (Go's 'g', -1): an exponent below 1e-4 and from 1e6 on; zero has no sign. */
export function formatTextFloat(value: number): string {
  if (value === 0) return '0';
  return formatShort(value);
}

/** As in OpenMetrics: like text, with `.0` after numbers that would otherwise look like integers. */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatTextFloat(value);
  if (!Number.isFinite(value) || /[.e]/.test(text)) return text;
  return `${text}.0`;
}

/**
 * As in the HTTP API's JSON and in label values made by PromQL: an exponent only below 1e-6 and from 1e21
 * on; minus zero keeps its sign.
 */
export function formatFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-6 && magnitude < 1e21) return String(value);
  if (!Number.isFinite(value)) return formatSpecial(value);
  return padExponent(value.toExponential());
}

/**
 * Go's %g: an exponent below 1e-4 and from 1e6 on, or from 1e21 on where `wide` (Go's %v); minus zero keeps
 * its sign.
 */
export function formatShort(value: number, wide = false): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < (wide ? 1e21 : 1e6)) return String(value);
  if (!Number.isFinite(value)) return formatSpecial(value);
  return padExponent(value.toExponential());
}

/** Go's %f: never an exponent; minus zero keeps its sign. */
export function formatPlain(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!parts) return text;
  const [, sign, first, fraction = '', exponent] = parts;
  const digits = first + fraction;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

// Go writes at least two digits: 1e-07 where JavaScript writes 1e-7.
function padExponent(text: string): string {
  const at = text.length - 2;
  const sign = text.charCodeAt(at);
  if (sign !== 0x2b && sign !== 0x2d) return text;
  return `${text.slice(0, at + 1)}0${text.slice(at + 1)}`;
}

/** Unix ms as seconds: an integer, or with exactly three decimals. */
export function formatSeconds(ms: number): string {
  const whole = Math.trunc(ms / 1000);
  const rest = Math.abs(ms % 1000);
  if (rest === 0) return String(whole);
  const sign = ms < 0 && whole === 0 ? '-' : '';
  return `${sign}${whole}.${String(rest).padStart(3, '0')}`;
}
