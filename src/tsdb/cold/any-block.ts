// Opens a block directory of either form: a standard block or a cold one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Block, readMeta } from '../block/block.ts';
import { type BlockMeta, META_FILE } from '../block/meta.ts';
import { COLD_META_FILE, type ColdBlockOptions, openColdBlock } from './cold-block.ts';

/** Opens a block for reading, whichever form it has. Throws `corrupt` and `not-found`. */
export function openAnyBlock(dir: string, options: ColdBlockOptions = {}): Promise<Block> {
  return isColdDirectory(dir) ? openColdBlock(dir, options) : Block.open(dir, options);
}

/** Reads the meta of a block, whichever form it has. Throws `corrupt` and `not-found`. */
export function readAnyMeta(dir: string): Promise<BlockMeta> {
  return readMeta(dir, isColdDirectory(dir) ? COLD_META_FILE : META_FILE);
}

/** True for the directory of a cold block. */
export function isColdDirectory(dir: string): boolean {
  return existsSync(join(dir, COLD_META_FILE));
}

/** True for a block that `openColdBlock` opened. */
export function isCold(block: Block): boolean {
  return block.metaFile === COLD_META_FILE;
}
