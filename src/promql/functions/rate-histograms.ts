// The rate family on native histograms.

import { OutpostError } from '../../lifecycle/errors.ts';
import type { RangeContext, Window } from './range-function.ts';

export function unsupported(feature: string): OutpostError {
  return new OutpostError('execution', `native histograms are not supported by ${feature}`);
}

export function histogramRate(
  _context: RangeContext,
  _options: { counter: boolean; perSecond: boolean },
): (window: Window) => number {
  return () => {
    throw unsupported('rate');
  };
}

export function histogramInstantDelta(
  _context: RangeContext,
  _counter: boolean,
): (window: Window) => number {
  return () => {
    throw unsupported('irate');
  };
}

export function histogramResets(_window: Window): number {
  throw unsupported('resets');
}

export function histogramChanges(_window: Window): number {
  throw unsupported('changes');
}
