import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/encoding/crc32c.ts';
import { ProtoReader, ProtoWriter } from '../../../src/encoding/proto.ts';
import { snappyDecode } from '../../../src/encoding/snappy.ts';
import { WriteBuffer } from '../../../src/encoding/write-buffer.ts';
import { Matcher } from '../../../src/labels/matcher.ts';
import { encodeReadRequest } from '../../../src/remote/read-request.ts';
import {
  decodeChunkedSeries,
  decodeSampledSeries,
  readResponseFrames,
} from '../../../src/remote/read-response.ts';
import { isStaleAt, setStale } from '../../../src/storage/stale.ts';

function frame(message: Uint8Array): Uint8Array {
  const buffer = new WriteBuffer();
  buffer.uvarint(message.length);
  buffer.u32(crc32c(message));
  buffer.raw(message);
  return buffer.copy();
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function framesIn(bytes: Uint8Array, size: number): Promise<string[]> {
  const out: string[] = [];
  for await (const message of readResponseFrames(pieces(bytes, size))) {
    out.push(Buffer.from(message).toString());
  }
  return out;
}

function label(writer: ProtoWriter, name: string, value: string): void {
  writer.messageField(1, () => {
    writer.stringField(1, name);
    writer.stringField(2, value);
  });
}

describe('a remote read request', () => {
  it('asks for chunks before samples, with inclusive times and every kind of matcher', () => {
    const matchers = (['=', '!=', '=~', '!~'] as const).map(type => new Matcher(type, 'a', 'b'));
    const body = encodeReadRequest({ minTime: -5, maxTime: 1_700_000_000_000, matchers });
    const reader = new ProtoReader(snappyDecode(body, 1000));
    const kinds: number[] = [];
    const times: number[] = [];
    const types: number[] = [];
    while (reader.next()) {
      if (reader.field === 2) kinds.push(reader.varint());
      else {
        const query = reader.message();
        while (query.next()) {
          if (query.field < 3) times.push(query.int64());
          else {
            const matcher = query.message();
            matcher.next();
            types.push(matcher.varint());
          }
        }
      }
    }
    expect([kinds, times, types]).toEqual([
      [1, 0],
      [-5, 1_700_000_000_000],
      [0, 1, 2, 3],
    ]);
  });
});

describe('a remote read answer in frames', () => {
  const bytes = Buffer.concat([
    frame(Buffer.from('first')),
    frame(Buffer.from('x'.repeat(300))),
    frame(Buffer.from('')),
  ]);

  it.each([1, 7, 1000])('is put together from pieces of %i bytes', async size => {
    expect(await framesIn(bytes, size)).toEqual(['first', 'x'.repeat(300), '']);
  });

  it('is refused where it is cut short or differs from its checksum', async () => {
    await expect(framesIn(bytes.subarray(0, -7), 50)).rejects.toThrow('cut short');
    const bad = Buffer.from(bytes);
    bad[6]! ^= 1;
    await expect(framesIn(bad, 50)).rejects.toThrow('checksum mismatch');
    await expect(framesIn(Buffer.alloc(20, 0xff), 50)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('holds series with chunks, whose types are the encodings of blocks', () => {
    const writer = new ProtoWriter();
    writer.messageField(1, () => {
      label(writer, '__name__', 'up');
      label(writer, 'job', 'x');
      writer.messageField(2, () => {
        writer.int64Field(1, 1000);
        writer.int64Field(2, 2000);
        writer.varintField(3, 1);
        writer.bytesField(4, Uint8Array.of(1, 2, 3));
      });
    });
    writer.int64Field(2, 0);
    const [series] = decodeChunkedSeries(writer.finish());
    expect(series!.labels.toString()).toBe('up{job="x"}');
    expect(series!.chunks).toEqual([
      { minTime: 1000, maxTime: 2000, encoding: 1, data: Uint8Array.of(1, 2, 3) },
    ]);
    expect(() => decodeChunkedSeries(Uint8Array.of(0x0a, 0x7f))).toThrow('remote read: ');
  });
});

describe('a remote read answer with samples', () => {
  it('keeps the bits of values and counts histograms', () => {
    // A plain array would turn the marker into an ordinary NaN.
    const values = Float64Array.of(1.5, 0);
    setStale(values, 1);
    const writer = new ProtoWriter();
    writer.messageField(1, () => {
      writer.messageField(1, () => {
        label(writer, '__name__', 'up');
        for (let i = 0; i < values.length; i++) {
          writer.messageField(2, () => {
            writer.doubleField(1, values[i]!);
            writer.int64Field(2, 1000 * (i + 1));
          });
        }
        writer.messageField(4, () => {});
      });
    });
    const [series] = decodeSampledSeries(writer.finish());
    const { samples, histograms } = series!;
    expect([...samples.times.subarray(0, samples.length)]).toEqual([1000, 2000]);
    expect([samples.values[0], isStaleAt(samples.values, 1), histograms]).toEqual([1.5, true, 1]);
  });
});
