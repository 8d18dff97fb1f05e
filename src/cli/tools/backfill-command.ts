// What the commands that create blocks have in common: their flags, where input comes from, and what they
// tell at the end.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OutpostError } from '../../lifecycle/errors.ts';
import { Backfill, type BackfillReport } from '../../tools/tsdb/backfill/backfill.ts';
import { Refusals } from '../../tools/tsdb/backfill/refusals.ts';
import type { BlockRow } from '../../tools/tsdb/block-list.ts';
import { blockBytes, formatBlocks } from '../../tools/tsdb/block-list.ts';
import { option, positiveDurationFlag } from '../flags.ts';
import { withToolFlags } from './flags.ts';
import type { ToolContext, ToolFlags } from './run-tool.ts';

/** Flags of every command that creates blocks. */
export interface BackfillFlags extends ToolFlags {
  readonly maxBlockDuration: number;
  readonly skipRefused?: boolean;
  readonly humanReadable?: boolean;
}

/** An open input. */
export interface Input {
  /** What a person calls it. */
  readonly name: string;
  /** Null where it is not known. */
  readonly bytes: number | null;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Fills the backfill and returns what else there is to tell, one sentence each. */
export type Fill = (backfill: Backfill, refusals: Refusals) => Promise<readonly string[]>;

/** Reads an open input into the backfill, as `Fill` does. */
export type ReadInput = (
  input: Input,
  backfill: Backfill,
  told: { readonly refusals: Refusals; readonly onBytes: (bytes: number) => void },
) => Promise<readonly string[]>;

const READ_BYTES = 1024 * 1024;

/** Adds the flags. */
export function withBackfillFlags(command: Command): Command {
  return withToolFlags(command)
    .addOption(
      option('--max-block-duration <duration>', 'longest range of a block', {
        parse: positiveDurationFlag,
        default: '2h',
      }),
    )
    .option('-r, --human-readable', 'list the blocks with dates and units');
}

/** Adds the flag of commands that read lines. */
export function withRefusalFlag(command: Command): Command {
  return command.option('--skip-refused', 'create blocks even where some lines are refused');
}

/** Opens a file, or standard input for `-`. Throws `bad-data` where it cannot be read. */
export async function openInput(path: string): Promise<Input> {
  if (path === '-') return { name: 'standard input', bytes: null, stream: process.stdin };
  try {
    const { size } = await stat(path);
    const stream = createReadStream(path, { highWaterMark: READ_BYTES });
    return { name: path, bytes: size, stream };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OutpostError('bad-data', `read input: ${reason}`, { cause });
  }
}

/** Creates blocks from a file or standard input, as `createBlocks` does. */
export async function createBlocksFromFile(
  { dir, path }: { readonly dir: string; readonly path: string },
  flags: BackfillFlags,
  context: ToolContext,
  read: ReadInput,
): Promise<boolean> {
  const { progress } = context;
  const input = await openInput(path);
  return await createBlocks({ dir, name: input.name }, flags, context, (backfill, refusals) => {
    progress.phase(`read ${input.name}`, input.bytes, 'bytes');
    return read(input, backfill, { refusals, onBytes: bytes => progress.at(bytes) });
  });
}

/**
 * Creates blocks from one source: all of them, or none where a line is refused and that was not allowed.
 * Prints the table of blocks. False where nothing was created because of refused lines. `name` is what a
 * person calls the source.
 */
export async function createBlocks(
  { dir, name }: { readonly dir: string; readonly name: string },
  flags: BackfillFlags,
  context: ToolContext,
  fill: Fill,
): Promise<boolean> {
  const { clock, fillRandom, progress, signal, tell } = context;
  const backfill = await Backfill.open(dir, {
    clock,
    fillRandom,
    progress,
    signal,
    blockRangeMaxMs: flags.maxBlockDuration,
  });
  const refusals = new Refusals();
  try {
    const told = await fill(backfill, refusals);
    progress.end();
    for (const sentence of told) tell(sentence);
    tellRefusals(refusals, name, tell);
    if (refusals.count > 0 && !flags.skipRefused) {
      tell('nothing was created; mend the lines, or leave them out with --skip-refused');
      await backfill.discard();
      return false;
    }
  } catch (error) {
    await backfill.discard();
    throw error;
  }
  const report = await backfill.finish();
  progress.end();
  await tellReport(report, dir, flags, context);
  return true;
}

function tellRefusals(refusals: Refusals, name: string, tell: (sentence: string) => void): void {
  for (const { line, reason } of refusals.examples) tell(`${name}:${line}: ${reason}`);
  const more = refusals.count - refusals.examples.length;
  if (more > 0) tell(`… and ${more} more`);
  if (refusals.count > 0) tell(`${refusals.count} lines refused`);
}

async function tellReport(
  report: BackfillReport,
  dir: string,
  { humanReadable = false }: BackfillFlags,
  { out, tell }: ToolContext,
): Promise<void> {
  const { duplicates, conflicts, example } = report;
  if (duplicates > 0) tell(`${duplicates} samples were given twice`);
  if (conflicts > 0 && example) {
    const { labels, time } = example;
    tell(`${conflicts} samples have a time that their series had before, with another value:`);
    tell(`the first one given was kept, for instance of ${labels} at ${time}`);
  }
  const rows: BlockRow[] = [];
  for (const { ulid, minTime, maxTime, stats } of report.blocks) {
    rows.push({
      name: ulid,
      minTime,
      maxTime,
      samples: stats.numSamples,
      chunks: stats.numChunks,
      series: stats.numSeries,
      bytes: await blockBytes(join(dir, ulid)),
    });
  }
  await out(formatBlocks(rows, humanReadable));
}
