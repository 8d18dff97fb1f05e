// Bodies of metrics for tests of scanners: protobuf by hand, and what a scanner finds in a body.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import type { SampleScanner } from '../../src/exposition/scan/scanner.ts';

/** What is in a body, one line for each entry. */
export function entriesOf(scanner: SampleScanner): string[] {
  const found: string[] = [];
  for (let kind = scanner.next(); kind !== 'end'; kind = scanner.next()) {
    if (kind === 'sample') {
      const time = Number.isNaN(scanner.time) ? '' : ` @${scanner.time}`;
      const exemplars = scanner
        .exemplars()
        .map(one => ` # ${one.labels} ${one.value} ${one.time}`)
        .join('');
      found.push(`${scanner.labels()} ${scanner.value[0]}${time}${exemplars}`);
    } else if (kind === 'histogram') {
      const { schema, count, positiveBuckets } = scanner.histogram();
      found.push(`${scanner.labels()} schema ${schema} count ${count} [${positiveBuckets}]`);
    } else {
      const text = kind === 'type' ? scanner.type : scanner.text();
      found.push(`${kind} ${scanner.metricName()} ${text}`);
    }
  }
  return found;
}

/** A delimited MetricFamily; `metrics` write the fields of one metric each. */
export function protoFamily(
  name: string,
  type: number,
  metrics: readonly ((writer: ProtoWriter) => void)[],
): Uint8Array {
  const writer = new ProtoWriter();
  writer.stringField(1, name);
  writer.varintField(3, type);
  for (const metric of metrics) writer.messageField(4, () => metric(writer));
  const body = writer.finish();
  const framed = new ProtoWriter();
  framed.varint(body.length);
  framed.raw(body);
  return framed.finish();
}
