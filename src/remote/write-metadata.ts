// A MetricMetadata entry of a write request. Field numbers: prometheus/prometheus prompb/types.proto.

import { ProtoReader, WIRE_BYTES, WIRE_VARINT } from '../encoding/proto.ts';
import type { MetricMetadata } from '../storage/appender.ts';

const TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;

/** Metadata and the family it belongs to, '' where the sender left it out. */
export interface NamedMetadata {
  readonly metricName: string;
  readonly metadata: MetricMetadata;
}

/** Decodes one entry. Throws RangeError for malformed bytes. */
export function decodeMetadata(bytes: Uint8Array): NamedMetadata {
  const message = new ProtoReader(bytes);
  let metricName = '';
  let type: string = TYPES[0];
  let help = '';
  let unit = '';
  while (message.next()) {
    if (message.field === 1 && message.wireType === WIRE_VARINT) {
      type = TYPES[message.varint()] ?? TYPES[0];
    } else if (message.wireType !== WIRE_BYTES) message.skip();
    else if (message.field === 2) metricName = message.string();
    else if (message.field === 4) help = message.string();
    else if (message.field === 5) unit = message.string();
    else message.skip();
  }
  return { metricName, metadata: { type, help, unit } };
}
