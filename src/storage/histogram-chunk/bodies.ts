// How the numbers of one sample follow those of the sample before: integer chunks write differences of
// differences, float chunks the XOR of each number with its predecessor. One of these reads a chunk or
// writes one, never both.

import type { BitReader } from '../../encoding/bit-reader.ts';
import type { BitWriter } from '../../encoding/bit-writer.ts';
import {
  readVarbitInt,
  readVarbitUint,
  writeVarbitInt,
  writeVarbitUint,
} from '../../encoding/varbit.ts';
import { XorLanes } from '../../encoding/xor-lanes.ts';
import { isStaleAt } from '../stale.ts';

/** The numbers of a sample to write; buckets are absolute counts in the chunk's layout. */
export interface SampleNumbers {
  readonly count: number;
  readonly zeroCount: number;
  /** One element, so that the bits of a stale marker stay. */
  readonly sum: Float64Array;
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

/** The state of a chunk's samples, except their times. Reads throw `corrupt`. */
export interface ChunkBody {
  readFirst(reader: BitReader): void;
  readNext(reader: BitReader): void;
  writeFirst(writer: BitWriter, numbers: SampleNumbers): void;
  writeNext(writer: BitWriter, numbers: SampleNumbers): void;
  /** True where the sample read last is a staleness marker: nothing but the sum means anything then. */
  readonly stale: boolean;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  /** Absolute counts of the positive buckets; a copy. */
  positive(): Float64Array;
  /** Absolute counts of the negative buckets; a copy. */
  negative(): Float64Array;
}

const NO_BUCKETS = new Float64Array(0);

/** A run of integers written as differences of differences. */
class SecondDifferences {
  readonly values: Float64Array;
  readonly #steps: Float64Array;

  constructor(length: number) {
    this.values = new Float64Array(length);
    this.#steps = new Float64Array(length);
  }

  read(reader: BitReader, index: number): void {
    this.#steps[index]! += readVarbitInt(reader);
    this.values[index]! += this.#steps[index]!;
  }

  write(writer: BitWriter, index: number, value: number): void {
    const step = value - this.values[index]!;
    writeVarbitInt(writer, step - this.#steps[index]!);
    this.#steps[index] = step;
    this.values[index] = value;
  }
}

/** Integer counts. A bucket's number is its difference to the bucket before it. */
export class IntegerBody implements ChunkBody {
  readonly #positives: number;
  readonly #buckets: SecondDifferences;
  readonly #counts = new SecondDifferences(2);
  readonly #sum = new XorLanes(1);

  constructor(positives: number, negatives: number) {
    this.#positives = positives;
    this.#buckets = new SecondDifferences(positives + negatives);
  }

  readFirst(reader: BitReader): void {
    this.#counts.values[0] = readVarbitUint(reader);
    this.#counts.values[1] = readVarbitUint(reader);
    this.#sum.readFirst(reader, 0);
    const { values } = this.#buckets;
    for (let i = 0; i < values.length; i++) values[i] = readVarbitInt(reader);
  }

  readNext(reader: BitReader): void {
    this.#counts.read(reader, 0);
    this.#counts.read(reader, 1);
    this.#sum.read(reader, 0);
    if (this.stale) return;
    const buckets = this.#buckets;
    for (let i = 0; i < buckets.values.length; i++) buckets.read(reader, i);
  }

  writeFirst(writer: BitWriter, numbers: SampleNumbers): void {
    this.#counts.values[0] = numbers.count;
    this.#counts.values[1] = numbers.zeroCount;
    writeVarbitUint(writer, numbers.count);
    writeVarbitUint(writer, numbers.zeroCount);
    this.#sum.writeFirst(writer, 0, numbers.sum, 0);
    this.#eachDifference(numbers, (index, difference) => {
      this.#buckets.values[index] = difference;
      writeVarbitInt(writer, difference);
    });
  }

  writeNext(writer: BitWriter, numbers: SampleNumbers): void {
    if (isStaleAt(numbers.sum, 0)) {
      // Counts are left out, whatever they were; no other sample can follow in this chunk.
      writer.bits(0, 2);
      this.#sum.write(writer, 0, numbers.sum, 0);
      return;
    }
    this.#counts.write(writer, 0, numbers.count);
    this.#counts.write(writer, 1, numbers.zeroCount);
    this.#sum.write(writer, 0, numbers.sum, 0);
    this.#eachDifference(numbers, (index, difference) => {
      this.#buckets.write(writer, index, difference);
    });
  }

  get stale(): boolean {
    return isStaleAt(this.#sum.values, 0);
  }

  get count(): number {
    return this.#counts.values[0]!;
  }

  get zeroCount(): number {
    return this.#counts.values[1]!;
  }

  get sum(): number {
    return this.#sum.values[0]!;
  }

  positive(): Float64Array {
    return totals(this.#buckets.values, 0, this.#positives);
  }

  negative(): Float64Array {
    return totals(this.#buckets.values, this.#positives, this.#buckets.values.length);
  }

  #eachDifference(
    { positive, negative }: SampleNumbers,
    visit: (index: number, difference: number) => void,
  ): void {
    for (let i = 0; i < positive.length; i++) visit(i, positive[i]! - (positive[i - 1] ?? 0));
    for (let i = 0; i < negative.length; i++) {
      visit(this.#positives + i, negative[i]! - (negative[i - 1] ?? 0));
    }
  }
}

function totals(differences: Float64Array, from: number, to: number): Float64Array {
  if (from === to) return NO_BUCKETS;
  const out = new Float64Array(to - from);
  let total = 0;
  for (let i = from; i < to; i++) out[i - from] = total += differences[i]!;
  return out;
}

const COUNT = 0;
const ZERO_COUNT = 1;
const SUM = 2;
const BUCKETS = 3;

/** Counts as doubles, one XOR lane each. */
export class FloatBody implements ChunkBody {
  readonly #positives: number;
  readonly #negatives: number;
  readonly #lanes: XorLanes;
  readonly #counts = new Float64Array(2);

  constructor(positives: number, negatives: number) {
    this.#positives = positives;
    this.#negatives = negatives;
    this.#lanes = new XorLanes(BUCKETS + positives + negatives);
  }

  readFirst(reader: BitReader): void {
    const lanes = this.#lanes.values.length;
    for (let lane = 0; lane < lanes; lane++) this.#lanes.readFirst(reader, lane);
  }

  readNext(reader: BitReader): void {
    const lanes = this.#lanes;
    for (let lane = 0; lane < BUCKETS; lane++) lanes.read(reader, lane);
    if (this.stale) return;
    for (let lane = BUCKETS; lane < lanes.values.length; lane++) lanes.read(reader, lane);
  }

  writeFirst(writer: BitWriter, numbers: SampleNumbers): void {
    this.#each(numbers, (lane, source, at) => this.#lanes.writeFirst(writer, lane, source, at));
  }

  writeNext(writer: BitWriter, numbers: SampleNumbers): void {
    this.#each(numbers, (lane, source, at) => this.#lanes.write(writer, lane, source, at));
  }

  get stale(): boolean {
    return isStaleAt(this.#lanes.values, SUM);
  }

  get count(): number {
    return this.#lanes.values[COUNT]!;
  }

  get zeroCount(): number {
    return this.#lanes.values[ZERO_COUNT]!;
  }

  get sum(): number {
    return this.#lanes.values[SUM]!;
  }

  positive(): Float64Array {
    return this.#slice(BUCKETS, this.#positives);
  }

  negative(): Float64Array {
    return this.#slice(BUCKETS + this.#positives, this.#negatives);
  }

  #slice(from: number, length: number): Float64Array {
    return length === 0 ? NO_BUCKETS : this.#lanes.values.slice(from, from + length);
  }

  #each(
    numbers: SampleNumbers,
    visit: (lane: number, source: Float64Array, at: number) => void,
  ): void {
    const { positive, negative } = numbers;
    this.#counts[0] = numbers.count;
    this.#counts[1] = numbers.zeroCount;
    visit(COUNT, this.#counts, 0);
    visit(ZERO_COUNT, this.#counts, 1);
    visit(SUM, numbers.sum, 0);
    for (let i = 0; i < positive.length; i++) visit(BUCKETS + i, positive, i);
    for (let i = 0; i < negative.length; i++) visit(BUCKETS + this.#positives + i, negative, i);
  }
}
