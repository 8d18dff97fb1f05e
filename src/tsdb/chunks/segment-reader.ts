// Reads chunks out of the segments of a block.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ReadBuffer } from '../../encoding/read-buffer.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { FileSource } from '../file-source.ts';
import { type FrameRequest, readFrames } from '../frames.ts';
import { offsetOf, segmentOf } from '../index/series-entries.ts';
import {
  CHUNK_FRAME,
  SEGMENT_HEADER_BYTES,
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
} from './segment-format.ts';

// A successor farther away than any chunk is long does not bound a chunk.
const SUCCESSOR_DISTANCE_MAX = 64 * 1024;

/** The segments of one block, by number. */
export class SegmentReader {
  readonly #segments: readonly ByteSource[];

  private constructor(segments: readonly ByteSource[]) {
    this.#segments = segments;
  }

  /** Opens the segment files of a directory; a missing directory has none. Throws `corrupt`. */
  static async openDirectory(dir: string): Promise<SegmentReader> {
    const names = (await readdir(dir).catch(absentIsEmpty)).filter(name => /^\d{6}$/.test(name));
    const sources: ByteSource[] = [];
    try {
      for (const name of names.sort()) sources.push(await FileSource.open(join(dir, name)));
      return await SegmentReader.open(sources);
    } catch (error) {
      await Promise.all(sources.map(source => source.close()));
      throw error;
    }
  }

  /** Checks the headers; the reader owns the sources, given in the order of their numbers. */
  static async open(sources: readonly ByteSource[]): Promise<SegmentReader> {
    for (const source of sources) {
      if (source.size < SEGMENT_HEADER_BYTES) {
        throw corrupt('chunk segment has no header', source.name, 0);
      }
      const [bytes] = await source.read([{ start: 0, end: SEGMENT_HEADER_BYTES }]);
      const header = new ReadBuffer(bytes!);
      if (header.u32() !== SEGMENT_MAGIC) {
        throw corrupt('chunk segment has a wrong magic number', source.name, 0);
      }
      const version = header.u8();
      if (version !== SEGMENT_VERSION) {
        throw corrupt(`chunk segment has the unknown version ${version}`, source.name, 4);
      }
    }
    return new SegmentReader(sources);
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /**
   * The chunks at the given places, each as its encoding byte followed by its data. `nextPlaces` are the
   * places of their successors, 0 where there is none: they bound what is fetched.
   */
  async read(
    places: readonly number[],
    nextPlaces: readonly number[],
    signal?: AbortSignal,
  ): Promise<Uint8Array[]> {
    const out: Uint8Array[] = new Array(places.length);
    const bySegment = new Map<number, number[]>();
    places.forEach((place, i) => {
      const segment = segmentOf(place);
      const members = bySegment.get(segment);
      if (members) members.push(i);
      else bySegment.set(segment, [i]);
    });
    const readSegment = async (segment: number, members: readonly number[]): Promise<void> => {
      const source = this.#segments[segment];
      if (!source) {
        const files = this.#segments.map(({ name }) => name).join(', ');
        throw corrupt(`chunk in segment ${segment + 1}, which does not exist`, files, 0);
      }
      const request: FrameRequest = {
        format: CHUNK_FRAME,
        offsets: members.map(i => offsetOf(places[i]!)),
        ends: members.map(i => boundOf(places[i]!, nextPlaces[i]!)),
        limit: source.size,
      };
      const payloads = await readFrames(source, request, signal);
      members.forEach((i, at) => {
        out[i] = payloads[at]!;
      });
    };
    await Promise.all([...bySegment].map(([segment, members]) => readSegment(segment, members)));
    return out;
  }

  /** Closes the segments. */
  async close(): Promise<void> {
    await Promise.all(this.#segments.map(segment => segment.close()));
  }
}

function boundOf(place: number, next: number): number {
  return next > place && next - place <= SUCCESSOR_DISTANCE_MAX ? offsetOf(next) : 0;
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
