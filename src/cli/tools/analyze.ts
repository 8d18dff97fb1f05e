// `outpost tools tsdb analyze`

import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Matcher } from '../../labels/matcher.ts';
import type { Clock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { analyze, formatAnalysis } from '../../tools/tsdb/analyze.ts';
import { blockDirectories, readLoggedHead } from '../../tools/tsdb/read-only-database.ts';
import { blockFacts, type FactsSource, headFacts } from '../../tools/tsdb/series-facts.ts';
import type { BlockMeta } from '../../tsdb/block/meta.ts';
import { readAnyMeta } from '../../tsdb/cold/any-block.ts';
import { countFlag, option } from '../flags.ts';
import { DATA_DIR_DEFAULT, selectorFlag, withToolFlags } from './flags.ts';
import { runTool, type ToolFlags } from './run-tool.ts';

interface AnalyzeFlags extends ToolFlags {
  readonly limit: number;
  readonly match?: readonly (readonly Matcher[])[];
  readonly extended?: boolean;
}

/** Registers the command. */
export function addAnalyzeCommand(tsdb: Command): void {
  withToolFlags(tsdb.command('analyze'))
    .description('show cardinality, churn and chunk fill of a block or of the log')
    .argument('[dir]', 'data directory', DATA_DIR_DEFAULT)
    .argument('[block]', 'block id, or head; default: the newest block, else the head')
    .addOption(
      option('--limit <count>', 'entries of each ranking', { parse: countFlag, default: '20' }),
    )
    .option('--match <selector>', 'series to look at', selectorFlag)
    .option('--extended', 'read chunks too, to tell how full they are')
    .action(async (dir: string, block: string | undefined, flags: AnalyzeFlags) => {
      await runTool('tsdb analyze', flags, async ({ clock, progress, signal, out }) => {
        if (flags.match && flags.match.length > 1) {
          throw new OutpostError('bad-data', 'analyse: one --match at most');
        }
        progress.phase('analyse', null, 'series');
        const source = await findSource(dir, block, clock);
        const analysis = await analyze(source, {
          matchers: flags.match?.[0] ?? [],
          chunks: flags.extended ?? false,
          signal,
          progress: done => progress.at(done),
        });
        progress.end();
        await out(formatAnalysis(analysis, flags.limit));
        return true;
      });
    });
}

async function findSource(
  dir: string,
  block: string | undefined,
  clock: Clock,
): Promise<FactsSource> {
  const paths = blockDirectories(dir);
  if (block !== undefined && block !== 'head') {
    return await blockFacts(paths.find(path => basename(path) === block) ?? join(dir, block));
  }
  const found: { readonly path: string; readonly meta: BlockMeta }[] = [];
  for (const path of paths) found.push({ path, meta: await readAnyMeta(path) });
  const metas = found.map(({ meta }) => meta);
  found.sort(({ meta: a }, { meta: b }) => a.minTime - b.minTime || a.maxTime - b.maxTime);
  const newest = found.at(-1);
  if (newest && block === undefined) return await blockFacts(newest.path);
  const logged = await readLoggedHead(dir, metas, clock);
  if (!logged) throw new OutpostError('not-found', `analyse: no samples in ${dir}`);
  return headFacts(logged.head, 'head');
}
