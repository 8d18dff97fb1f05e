// A process's metrics as whoever asks wants them.

import type { MetricFamily } from '../telemetry/metrics.ts';
import { writeFamilies } from './dialect.ts';
import type { Exposition } from './negotiate.ts';
import { protobufFamilies } from './protobuf-families.ts';

/** Families in a negotiated format: bytes where that is protobuf, else text with its trailer. */
export function expose(
  families: readonly MetricFamily[],
  { format, dialect }: Exposition,
): string | Uint8Array {
  if (format === 'protobuf') return protobufFamilies(families, dialect.scheme);
  return writeFamilies(families, dialect);
}
