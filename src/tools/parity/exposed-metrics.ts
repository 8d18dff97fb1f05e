// A text exposition as families, for comparing what two exporters say of one host.

import { ExpositionParser } from '../../exposition/parse.ts';
import { METRIC_NAME } from '../../labels/labels.ts';

/** A family's type and its values by series, in PromQL notation. */
export interface ExposedFamily {
  readonly type: string;
  readonly values: ReadonlyMap<string, number>;
}

/** Families by name. Samples of histograms and summaries are families of their own names. */
export function parseExposedMetrics(text: string): ReadonlyMap<string, ExposedFamily> {
  const types = new Map<string, string>();
  const families = new Map<string, { type: string; values: Map<string, number> }>();
  const parser = new ExpositionParser(text, 'text');
  for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
    if (kind === 'type') types.set(parser.name, parser.type);
    if (kind !== 'sample') continue;
    const labels = parser.labels();
    const name = labels.get(METRIC_NAME);
    let family = families.get(name);
    if (!family) {
      family = { type: types.get(name) ?? 'unknown', values: new Map() };
      families.set(name, family);
    }
    family.values.set(labels.toString(), parser.value);
  }
  return families;
}
