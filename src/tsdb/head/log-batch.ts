// What a commit writes to the log: everything that the head has not logged, in one write, in the order in
// which readers need it.

import { METRIC_NAME } from '../../labels/labels.ts';
import { encodeMetadataRecord } from '../wal/metadata-record.ts';
import { SeriesRecordWriter } from '../wal/series-record.ts';
import type { Head } from './head.ts';

/**
 * Logs new series, metadata, the samples the arena has judged (0 for none) and the records of what is not in
 * the arena. Throws `unavailable`.
 */
export function logBatch(head: Head, judged: number, others: readonly Uint8Array[]): void {
  if (!head.log) {
    head.unlogged.length = 0;
    return;
  }
  const records: Uint8Array[] = [];
  const created = head.unlogged.length;
  if (created > 0) {
    const record = seriesRecord(head);
    if (record) records.push(record);
  }
  const families = head.families.hasUnlogged
    ? head.families.loggable(name => refOfMetric(head, name))
    : null;
  if (families && families.size > 0) records.push(encodeMetadataRecord(families.values()));
  if (judged > 0) records.push(head.arena.encodeSamples(judged));
  records.push(...others);
  head.writeLog(records);
  if (created > 0) head.unlogged.length = 0;
  if (families) head.families.logged(families.keys());
}

function seriesRecord(head: Head): Uint8Array | null {
  const { table, symbols } = head.index;
  const writer = new SeriesRecordWriter();
  for (const ref of head.unlogged) {
    const slot = table.slotOf(ref);
    if (slot >= 0) writer.addSymbols(ref, table.symbols(slot), symbols);
  }
  return writer.empty ? null : writer.bytes();
}

/** Some series of a metric. */
export function refOfMetric(head: Head, metricName: string): number | undefined {
  const { symbols, lists } = head.index;
  const name = symbols.find(METRIC_NAME);
  const value = symbols.find(metricName);
  return name < 0 || value < 0 ? undefined : lists.first(name, value);
}
