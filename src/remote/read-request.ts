// The question of Prometheus' remote read protocol. Fields: prompb/remote.proto, messages ReadRequest,
// Query and LabelMatcher.

import { ProtoWriter } from '../encoding/proto.ts';
import { snappyEncode } from '../encoding/snappy.ts';
import type { Matcher, MatchType } from '../labels/matcher.ts';

const MATCH_TYPES: Readonly<Record<MatchType, number>> = { '=': 0, '!=': 1, '=~': 2, '!~': 3 };
const RESPONSE_SAMPLES = 0;
const RESPONSE_CHUNKS = 1;

/** What is asked for. */
export interface ReadQuery {
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly matchers: readonly Matcher[];
}

/** The request's body, compressed: chunks are preferred, samples taken. */
export function encodeReadRequest({ minTime, maxTime, matchers }: ReadQuery): Uint8Array {
  const writer = new ProtoWriter();
  writer.messageField(1, () => {
    writer.int64Field(1, minTime);
    writer.int64Field(2, maxTime);
    for (const { type, name, value } of matchers) {
      writer.messageField(3, () => {
        writer.varintField(1, MATCH_TYPES[type]);
        writer.stringField(2, name);
        writer.stringField(3, value);
      });
    }
  });
  writer.varintField(2, RESPONSE_CHUNKS);
  writer.varintField(2, RESPONSE_SAMPLES);
  return snappyEncode(writer.finish());
}
