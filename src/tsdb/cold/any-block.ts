// Opens a block directory of either form: a standard block or a cold one.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Block } from '../block/block.ts';
import { COLD_META_FILE, type ColdBlockOptions, openColdBlock } from './cold-block.ts';

/** Opens a block for reading, whichever form it has. Throws `corrupt` and `not-found`. */
export function openAnyBlock(dir: string, options: ColdBlockOptions = {}): Promise<Block> {
  const isCold = existsSync(join(dir, COLD_META_FILE));
  return isCold ? openColdBlock(dir, options) : Block.open(dir, options);
}

/** True for a block that `openColdBlock` opened. */
export function isCold(block: Block): boolean {
  return block.metaFile === COLD_META_FILE;
}
