// The postings offset table: for each label pair, in order, where its list of series lies. Every 32nd
// value of a name is remembered; a lookup reads the stretch between two of them.

import { decodeUtf8, ReadBuffer } from '../../encoding/read-buffer.ts';
import { compareStrings } from '../../labels/compare.ts';
import type { ByteSource } from '../byte-source.ts';
import { corrupt } from '../corrupt.ts';
import { SAMPLE_EVERY } from './format.ts';
import { walkSection } from './section.ts';

// Stretches read in one go while walking all values of a name.
const WALK_STRETCHES = 64;
// Each entry begins with the number of strings of its key.
const KEY_STRINGS = 2;

/** Where one list lies. */
export interface PostingsEntry {
  readonly value: string;
  /** File offset of the list. */
  readonly offset: number;
  /** Offset of the list of the next value, 0 where it is not known. Lists follow each other. */
  readonly next: number;
}

/** The entries of one label name. */
interface NameEntries {
  count: number;
  /** Every 32nd value, beginning with the first. */
  readonly values: string[];
  /** Table offset of each of them. */
  readonly offsets: number[];
  /** Table offset after the last entry. */
  end: number;
}

/** Looks up where posting lists lie. */
export class PostingsTable {
  readonly #source: ByteSource;
  readonly #names: ReadonlyMap<string, NameEntries>;

  private constructor(source: ByteSource, names: ReadonlyMap<string, NameEntries>) {
    this.#source = source;
    this.#names = names;
  }

  /** Walks and checks the section between the two offsets. Throws `corrupt`. */
  static async open(
    source: ByteSource,
    place: { start: number; limit: number; residentBytesMax: number },
  ): Promise<PostingsTable> {
    const names = new Map<string, NameEntries>();
    let nameBytes: Uint8Array = new Uint8Array(0);
    let current: NameEntries | undefined;
    const section = await walkSection(source, {
      what: 'index postings table',
      ...place,
      begin: () => {},
      entry(buffer, base) {
        const at = base + buffer.offset;
        const strings = buffer.uvarint();
        // Nearly always the name of the entry before; neither it nor most values are needed as strings.
        const isNew = current === undefined || !buffer.skipString(nameBytes);
        const newName = isNew ? buffer.raw(buffer.uvarint()) : nameBytes;
        const isSample = isNew || current!.count % SAMPLE_EVERY === 0;
        const valueLength = buffer.uvarint();
        const valueBytes = isSample ? buffer.raw(valueLength) : null;
        if (!isSample) buffer.skip(valueLength);
        buffer.uvarint();
        if (buffer.error !== null) return false;
        if (strings !== KEY_STRINGS) {
          throw corrupt('index postings table has a key of another kind', source.name, at);
        }
        if (!current || isNew) {
          nameBytes = new Uint8Array(newName);
          const name = decodeUtf8(nameBytes, 0, nameBytes.length);
          current = { count: 0, values: [], offsets: [], end: 0 };
          if (names.has(name)) throw corrupt('index postings table is not sorted', source.name, at);
          names.set(name, current);
        }
        if (valueBytes) {
          current.values.push(Buffer.from(valueBytes).toString('utf8'));
          current.offsets.push(at);
        }
        current.count++;
        current.end = base + buffer.offset;
        return true;
      },
    });
    return new PostingsTable(section.source, names);
  }

  /** Label names, sorted; the list of all series is not one. */
  names(): string[] {
    return [...this.#names.keys()].filter(name => name !== '').sort(compareStrings);
  }

  /** How many values a name has. */
  valueCount(name: string): number {
    return this.#names.get(name)?.count ?? 0;
  }

  /** The entries of those values that exist, in label order. */
  async find(
    name: string,
    values: readonly string[],
    signal?: AbortSignal,
  ): Promise<PostingsEntry[]> {
    const entries = this.#names.get(name);
    if (!entries) return [];
    const wanted = new Map<number, Set<string>>();
    for (const value of values) {
      const stretch = lastAtMost(entries.values, value);
      if (stretch < 0) continue;
      const set = wanted.get(stretch) ?? new Set();
      wanted.set(stretch, set.add(value));
    }
    const stretches = [...wanted.keys()].sort((a, b) => a - b);
    const read = await this.#read(entries, stretches, signal);
    const out: PostingsEntry[] = [];
    stretches.forEach((stretch, i) => {
      const set = wanted.get(stretch)!;
      this.#parse(read[i]!, entries.offsets[stretch]!, entry => {
        if (set.has(entry.value)) out.push(entry);
      });
    });
    return out;
  }

  /** Visits every value of a name in order; gives way between stretches of some thousand. */
  async forEach(
    name: string,
    visit: (entry: PostingsEntry) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const entries = this.#names.get(name);
    if (!entries) return;
    for (let from = 0; from < entries.offsets.length; from += WALK_STRETCHES) {
      if (from > 0) await new Promise<void>(resolve => setImmediate(resolve));
      const to = Math.min(from + WALK_STRETCHES, entries.offsets.length);
      const start = entries.offsets[from]!;
      const end = entries.offsets[to] ?? entries.end;
      const [bytes] = await this.#source.read([{ start, end }], signal);
      this.#parse(bytes!, start, visit);
    }
  }

  #read(
    entries: NameEntries,
    stretches: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[]> {
    const ranges = stretches.map(i => ({
      start: entries.offsets[i]!,
      end: entries.offsets[i + 1] ?? entries.end,
    }));
    return this.#source.read(ranges, signal);
  }

  #parse(bytes: Uint8Array, base: number, visit: (entry: PostingsEntry) => void): void {
    const buffer = new ReadBuffer(bytes);
    let value: string | null = null;
    let offset = 0;
    while (buffer.remaining > 0) {
      buffer.uvarint();
      buffer.skip(buffer.uvarint());
      const nextValue = buffer.string();
      const next = buffer.uvarint();
      if (buffer.error !== null)
        throw corrupt('index postings table changed', this.#source.name, base);
      if (value !== null) visit({ value, offset, next });
      value = nextValue;
      offset = next;
    }
    if (value !== null) visit({ value, offset, next: 0 });
  }
}

/** Index of the last element ≤ `value`, −1 where the first is greater. */
function lastAtMost(values: readonly string[], value: string): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareStrings(values[middle]!, value) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
