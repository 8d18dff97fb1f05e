// Functions of single numbers, and those with scalar arguments beside them. Histograms are left out.

import type { StepBlock } from '../block.ts';
import { maxOf, minOf } from '../go-math.ts';
import type { BlockChange } from '../operators/map.ts';

const RADIANS_PER_DEGREE = Math.PI / 180;

const PLAIN: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  rad: value => value * RADIANS_PER_DEGREE,
  deg: value => value / RADIANS_PER_DEGREE,
  sgn: value => (value < 0 ? -1 : value > 0 ? 1 : value),
};

/** Takes the histograms of a block away. */
export function dropHistograms(block: StepBlock): void {
  const { histograms, present } = block;
  if (histograms === null) return;
  for (let cell = 0; cell < histograms.length; cell++) if (histograms[cell]) present[cell] = 0;
  block.histograms = null;
}

/** The change that applies a function to every float. */
export function eachFloat(compute: (value: number) => number): BlockChange {
  return block => {
    dropHistograms(block);
    const { values } = block;
    const cells = block.rows.length * block.steps;
    for (let cell = 0; cell < cells; cell++) values[cell] = compute(values[cell]!);
  };
}

/** round(v, to): to the nearest multiple, halves up. */
const round: BlockChange = (block, [to]) => {
  dropHistograms(block);
  const { values, steps } = block;
  for (let cell = 0; cell < block.rows.length * steps; cell++) {
    // The inverse gives fewer inaccuracies than dividing by the multiple.
    const inverse = 1 / (to ? to[cell % steps]! : 1);
    values[cell] = Math.floor(values[cell]! * inverse + 0.5) / inverse;
  }
};

function clamp(bounds: 'both' | 'min' | 'max'): BlockChange {
  return (block, scalars) => {
    dropHistograms(block);
    const { values, present, steps } = block;
    for (let cell = 0; cell < block.rows.length * steps; cell++) {
      const step = cell % steps;
      const least = bounds === 'max' ? Number.NEGATIVE_INFINITY : scalars[0]![step]!;
      const most = bounds === 'min' ? Number.POSITIVE_INFINITY : scalars.at(-1)![step]!;
      if (most < least) present[cell] = 0;
      else values[cell] = maxOf(least, minOf(most, values[cell]!));
    }
  };
}

/** The changes of the family by function name. */
export const MATH: ReadonlyMap<string, BlockChange> = new Map<string, BlockChange>([
  ...Object.entries(PLAIN).map(([name, compute]) => [name, eachFloat(compute)] as const),
  ['round', round],
  ['clamp', clamp('both')],
  ['clamp_min', clamp('min')],
  ['clamp_max', clamp('max')],
]);
