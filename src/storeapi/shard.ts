// Which series belong to one shard of a query that several queriers share. The hash is that of Thanos
// (pkg/store/storepb/shard_info.go), so that the shards of different stores fit together.

import { WriteBuffer } from '../encoding/write-buffer.ts';
import { xxhash64Into } from '../encoding/xxhash.ts';
import type { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Shard } from './requests.ts';

const SEPARATOR = 0xff;
// With more, the remainder could not be computed exactly in doubles.
const SHARDS_MAX = 2 ** 20;

/** A test of labels as they are sent; null where all are wanted. Throws OutpostError `bad-data`. */
export function shardFilter(shard: Shard | null): ((labels: Labels) => boolean) | null {
  if (!shard) return null;
  const { index, total, by } = shard;
  if (total < 0 || total > SHARDS_MAX) {
    throw new OutpostError(
      'bad-data',
      `read shard: at most ${SHARDS_MAX} are possible, not ${total}`,
    );
  }
  const listed = new Set(shard.labels);
  const buffer = new WriteBuffer();
  const encoder = new TextEncoder();
  const hash = new Uint32Array(2);
  return labels => {
    buffer.reset();
    const { pairs } = labels;
    for (let i = 0; i < pairs.length; i += 2) {
      if (listed.has(pairs[i]!) !== by) continue;
      buffer.raw(encoder.encode(pairs[i]));
      buffer.u8(SEPARATOR);
      buffer.raw(encoder.encode(pairs[i + 1]));
      buffer.u8(SEPARATOR);
    }
    xxhash64Into(buffer.bytes(), hash, 0);
    const high = (hash[1]! % total) * (0x1_0000_0000 % total);
    return (high + hash[0]!) % total === index;
  };
}
