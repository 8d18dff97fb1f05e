// `/metrics`: the newest samples of every plugin and the agent's own metrics, filtered by collector.

import { writeFamilies } from '../src/exposition/dialect.ts';
import type { Exposition } from '../src/exposition/negotiate.ts';
import { protobufFamilies } from '../src/exposition/protobuf-families.ts';
import { OutpostError } from '../src/lifecycle/errors.ts';
import type { MetricFamily } from '../src/telemetry/metrics.ts';
import type { Ingest } from './ingest.ts';

/** Which collectors are wanted: those collected where any is named, and none that is excluded. */
export interface CollectorFilter {
  readonly collect: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * The whole text, or bytes where protobuf is wanted. The agent's own metrics belong to no collector: they are left out where `collect`
 * names some, as an exporter that is asked for one collector answers with that alone. Throws `bad-data`
 * for a collector that does not run.
 */
export function renderMetrics(
  ingest: Ingest,
  own: () => readonly MetricFamily[],
  exposition: Exposition,
  { collect, exclude }: CollectorFilter,
): string | Uint8Array {
  const sources = [...ingest.sources.values()];
  checkCollectors(new Set(sources.flatMap(source => source.latest.collectors())), [
    ...collect,
    ...exclude,
  ]);
  const wanted = (collector: string): boolean =>
    collect.length > 0 ? collect.includes(collector) : !exclude.includes(collector);
  if (exposition.format === 'protobuf') {
    const families = sources.flatMap(source => source.latest.exposed(wanted));
    const shown = collect.length > 0 ? families : [...families, ...own()];
    return protobufFamilies(shown, exposition.dialect.scheme);
  }
  let text = '';
  for (const source of sources) text += source.latest.render(exposition, wanted);
  return text + writeFamilies(collect.length > 0 ? [] : own(), exposition.dialect);
}

/** Before the first collection nothing is known, and everything is answered with nothing. */
function checkCollectors(known: ReadonlySet<string>, named: readonly string[]): void {
  const missing = named.find(collector => !known.has(collector));
  if (missing === undefined || known.size === 0) return;
  const names = [...known].sort().join(', ');
  throw new OutpostError('bad-data', `missing collector: ${missing}; running are: ${names}`);
}
