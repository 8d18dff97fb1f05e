// Remote-write requests for tests: a handful of series, exact bytes.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import { Labels } from '../../src/labels/labels.ts';

/** One series of a request; times in Unix ms. */
export interface WriteSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [time: number, value: number])[];
}

/** A snappy-compressed WriteRequest. */
export function writeBody(series: readonly WriteSeries[]): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  for (const { labels, samples } of series) {
    writer.messageField(1, () => {
      for (const [name, value] of Labels.fromObject(labels)) {
        writer.messageField(1, () => {
          writer.stringField(1, name);
          writer.stringField(2, value);
        });
      }
      for (const [time, value] of samples) {
        writer.messageField(2, () => {
          writer.doubleField(1, value);
          writer.int64Field(2, time);
        });
      }
    });
  }
  return new Uint8Array(snappyEncode(writer.finish()));
}

/** Posts a request to an agent's receiver; resolves with the status. */
export async function remoteWrite(url: string, series: readonly WriteSeries[]): Promise<number> {
  const answer = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: writeBody(series),
  });
  await answer.arrayBuffer();
  return answer.status;
}
