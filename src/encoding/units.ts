// Durations and byte sizes as Prometheus writes them in flags, files and parameters.

const DURATION_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const SIZE = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB|PB|EB|KiB|MiB|GiB|TiB)$/;
const SIZE_POWERS = 'KMGTPE';

/** Longest duration in ms: 2^63 nanoseconds, which is what the field can hold. */
export const DURATION_MS_MAX = 9_223_372_036_854;

/** `1h30m`, `15s`, `500ms`, `0`: milliseconds, or null where the text is no duration or too long a one. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (!match || text === '') return null;
  const ms = DURATION_UNITS.reduce((sum, [, unit], i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
  return ms <= DURATION_MS_MAX ? ms : null;
}

/** The text that parses back to the same milliseconds, behind a minus where they are negative. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  let rest = ms;
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    // Years and weeks are used only where nothing is left over, as a reader expects of `8d`.
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** `512MB`, `1GiB`, `0`: bytes (K is 1024, as in Prometheus), or null where the text is not a size. */
export function parseSize(text: string): number | null {
  if (text === '0') return 0;
  const match = SIZE.exec(text);
  if (!match) return null;
  const power = SIZE_POWERS.indexOf(match[2]![0]!) + 1;
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** Bytes with the largest unit that keeps a short number, for people. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let power = 0;
  while (value >= 1024 && power < SIZE_POWERS.length) {
    value /= 1024;
    power++;
  }
  const unit = power === 0 ? 'B' : `${SIZE_POWERS[power - 1]}iB`;
  return `${Number(value.toFixed(1))}${unit}`;
}
