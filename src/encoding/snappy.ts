// The one door to snappy, raw block format: remote write, WAL records. The declared length is checked
// before anything is allocated, so a small hostile body cannot ask for gigabytes.

import { type Kernels, newKernels } from '../kernels/load.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { Scratch } from './scratch.ts';

const EXPANSION_MAX = 22;

/** A block's header, checked. */
export interface SnappyHeader {
  /** Bytes of the header. */
  readonly bytes: number;
  /** Bytes that the block says it decompresses to. */
  readonly length: number;
}

/**
 * Reads the header of a block of at most `lengthMax` bytes. Throws `limit-exceeded`, and `bad-data` where it
 * is not readable or announces more than the block could hold.
 */
export function snappyHeader(block: Uint8Array, lengthMax: number): SnappyHeader {
  const header = readHeader(block);
  if (header.length > lengthMax) {
    throw new OutpostError(
      'limit-exceeded',
      `decode snappy: ${header.length} bytes when decompressed, at most ${lengthMax} are accepted`,
    );
  }
  // A copy of three bytes makes at most 64: a body that announces more is not worth the memory.
  if (header.length > block.length * EXPANSION_MAX) throw damaged();
  return header;
}

function readHeader(block: Uint8Array): SnappyHeader {
  let length = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    length += (block[i]! & 0x7f) * 2 ** (7 * i);
    if (block[i]! < 0x80) return { bytes: i + 1, length };
  }
  throw new OutpostError('bad-data', 'decode snappy: the length header is cut short');
}

function damaged(): OutpostError {
  return new OutpostError('bad-data', 'decode snappy: the block is damaged or cut short');
}

// The memory: the decoder's state, the encoder's table, the input and, at the page after it, the output.
const STATE = 64;
const TABLE = 16_384;
const INPUT = 65_536;
const PAGE_BYTES = 65_536;
/** The kernels read and write a little too far. */
const SLACK = 64;
/** A memory that has grown beyond is not kept. */
const KEPT_BYTES = 4 * 1024 * 1024;

interface Workspace {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  bytes: Uint8Array;
}

let shared: Workspace | undefined;

/** Hands `work` a memory with the input in place and room for the output, whose address it is told. */
function inWorkspace<T>(
  input: Uint8Array,
  outputBytes: number,
  work: (workspace: Workspace, output: number) => T,
): T {
  shared ??= newWorkspace();
  const workspace = shared;
  const output = Math.ceil((INPUT + input.length + SLACK) / PAGE_BYTES) * PAGE_BYTES;
  const pages = Math.ceil((output + outputBytes + SLACK) / PAGE_BYTES);
  const missing = pages - workspace.bytes.length / PAGE_BYTES;
  if (missing > 0) {
    workspace.memory.grow(missing);
    workspace.bytes = new Uint8Array(workspace.memory.buffer);
    if (workspace.bytes.length > KEPT_BYTES) shared = undefined;
  }
  workspace.bytes.set(input, INPUT);
  return work(workspace, output);
}

function newWorkspace(): Workspace {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65_535 });
  return { kernels: newKernels(memory), memory, bytes: new Uint8Array(memory.buffer) };
}

/**
 * Decompresses a block of at most `lengthMax` bytes, into `scratch` where one is given. Throws `bad-data` or
 * `limit-exceeded`.
 */
export function snappyDecode(block: Uint8Array, lengthMax: number, scratch?: Scratch): Uint8Array {
  const header = snappyHeader(block, lengthMax);
  const body = block.subarray(header.bytes);
  return inWorkspace(body, header.length, ({ kernels, bytes }, output) => {
    kernels.snappyStart(STATE, INPUT, body.length, output, header.length);
    if (kernels.snappyDecode(STATE, header.length) !== 1) throw damaged();
    return copyOf(bytes.subarray(output, output + header.length), scratch);
  });
}

/** Compresses into one block, in `scratch` where one is given. */
export function snappyEncode(bytes: Uint8Array, scratch?: Scratch): Uint8Array {
  const sizeMax = 32 + bytes.length + Math.ceil(bytes.length / 6);
  return inWorkspace(bytes, sizeMax, (workspace, output) => {
    const size = workspace.kernels.snappyEncode(INPUT, bytes.length, output, TABLE);
    return copyOf(workspace.bytes.subarray(output, output + size), scratch);
  });
}

function copyOf(bytes: Uint8Array, scratch: Scratch | undefined): Uint8Array {
  return scratch ? scratch.copy(bytes) : bytes.slice();
}
