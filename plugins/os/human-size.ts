// Numbers that kernels write for people: "2.05G". What was rounded away is lost.

const UNITS = 'kMGTPEZY';

/** "2.05G" as 2.05 × 1024³, rounded down; NaN where it is no number. Units may be small or capital. */
export function parseHumanSize(text: string): number {
  const [, digits, unit] = /^\s*(-?\d+(?:\.\d+)?)([a-zA-Z])?\s*$/.exec(text) ?? [];
  return digits === undefined ? Number.NaN : scaled(Number(digits), unit);
}

/**
 * The spelling of bcache, whose digit after the dot counts 1/1024 in steps of a hundred (hprint of
 * drivers/md/bcache/util.c): "1.1k" is 1 + 1/10.24 KiB.
 */
export function parseBcacheSize(text: string): number {
  const [, sign, whole, part, unit] = /^\s*(-?)(\d+)(?:\.(\d+))?([a-zA-Z])?\s*$/.exec(text) ?? [];
  if (whole === undefined) return Number.NaN;
  const value = scaled(Number(whole) + Number(part ?? 0) / 10.24, unit);
  return sign === '-' ? -value : value;
}

function scaled(value: number, unit: string | undefined): number {
  const power = unit === undefined ? 0 : 1 + UNITS.toLowerCase().indexOf(unit.toLowerCase());
  if (unit !== undefined && power === 0) return Number.NaN;
  return Math.trunc(value * 1024 ** power);
}
