// `outpost tools tsdb create-blocks-from rules`

import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseTime } from '../../httpapi/times.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { systemReason } from '../../lifecycle/system-error.ts';
import { parseRuleFile, type RuleGroup } from '../../rules/rule-file.ts';
import { blockRange } from '../../tools/tsdb/backfill/backfill.ts';
import { rangeClient } from '../../tools/tsdb/backfill/range-client.ts';
import { rangeLocal } from '../../tools/tsdb/backfill/range-local.ts';
import {
  type EvaluateRange,
  type RulesReport,
  readRules,
} from '../../tools/tsdb/backfill/rules-input.ts';
import { ReadOnlyDatabase } from '../../tools/tsdb/read-only-database.ts';
import { option, positiveDurationFlag } from '../flags.ts';
import { type BackfillFlags, createBlocks, withBackfillFlags } from './backfill-command.ts';
import { DATA_DIR_DEFAULT, headerFlag } from './flags.ts';
import { runTool, type ToolContext } from './run-tool.ts';

interface RulesFlags extends BackfillFlags {
  readonly start: number;
  readonly end?: number;
  readonly url: string;
  readonly dataDir?: string;
  readonly outputDir: string;
  readonly evalInterval: number;
  readonly header?: Readonly<Record<string, string>>;
}

const NAME = 'tsdb create-blocks-from rules';
const URL_DEFAULT = 'http://127.0.0.1:9190';
const END_BEFORE_NOW_MS = 3 * 3_600_000;

/** Registers the command. */
export function addCreateFromRules(parent: Command): void {
  withBackfillFlags(parent.command('rules'))
    .description('blocks with what recording rules would have recorded')
    .argument('<rule-files...>', 'rule files of Prometheus; alerting rules in them are passed over')
    .requiredOption('--start <time>', 'first evaluation: a date or Unix seconds', secondsFlag)
    .option('--end <time>', 'last one: a date or Unix seconds; default: 3 h ago', secondsFlag)
    .option('--url <url>', 'server whose PromQL API evaluates', URL_DEFAULT)
    .option('--header <name:value>', 'header of each request; repeat for more', headerFlag)
    .addOption(
      new Option(
        '--data-dir <dir>',
        'evaluate over this data directory, without a server',
      ).conflicts(['url', 'header']),
    )
    .option('--output-dir <dir>', 'data directory the blocks go into', DATA_DIR_DEFAULT)
    .addOption(
      option('--eval-interval <duration>', 'interval of groups that give none', {
        parse: positiveDurationFlag,
        default: '1m',
      }),
    )
    .action(async (files: string[], flags: RulesFlags) => {
      await runTool(NAME, flags, context => createFromRules(files, flags, context));
    });
}

async function createFromRules(
  files: readonly string[],
  flags: RulesFlags,
  context: ToolContext,
): Promise<boolean> {
  const { clock, progress } = context;
  const { start: minTime, end: maxTime = clock.now() - END_BEFORE_NOW_MS } = flags;
  if (minTime > maxTime) throw new OutpostError('bad-data', 'rules: --start lies behind --end');
  const groups = groupsOf(files);
  const source = await openSource(flags, context);
  try {
    return await createBlocks(
      { dir: flags.outputDir, name: files.join(' ') },
      flags,
      context,
      async backfill =>
        sentences(
          await readRules(backfill, {
            groups,
            evaluate: source.evaluate,
            minTime,
            maxTime,
            intervalMs: flags.evalInterval,
            stretchMs: blockRange(flags.maxBlockDuration),
            progress,
          }),
        ),
    );
  } finally {
    await source.close();
  }
}

/** The groups of all files. Throws `bad-data` with the mistakes of all of them. */
function groupsOf(files: readonly string[]): RuleGroup[] {
  const mistakes: string[] = [];
  const groups = files.flatMap(path => {
    try {
      return parseRuleFile(readFileSync(path, 'utf8'), path);
    } catch (error) {
      const isOurs = error instanceof OutpostError;
      mistakes.push(isOurs ? error.message : `read rules ${path}: ${systemReason(error)}`);
      return [];
    }
  });
  if (mistakes.length === 0) return groups;
  throw new OutpostError('bad-data', mistakes.join('\n'));
}

interface Source {
  readonly evaluate: EvaluateRange;
  readonly close: () => Promise<void>;
}

async function openSource(flags: RulesFlags, { clock, signal }: ToolContext): Promise<Source> {
  const { url, dataDir, header: headers = {} } = flags;
  if (dataDir !== undefined) {
    const database = await ReadOnlyDatabase.open(dataDir, clock);
    const evaluate = rangeLocal(database, { clock, signal });
    return { evaluate, close: () => database.close() };
  }
  if (!URL.canParse(url)) throw new OutpostError('bad-data', `evaluate at ${url}: not a URL`);
  return { evaluate: rangeClient({ url, headers, signal }), close: async () => {} };
}

function sentences(report: RulesReport): string[] {
  const { recordingRules, alertingRules, staleMarkers, dependencies, warnings } = report;
  const told = [`${recordingRules} recording rules evaluated`];
  if (alertingRules > 0) told.push(`${alertingRules} alerting rules passed over`);
  if (staleMarkers > 0) told.push(`${staleMarkers} staleness markers where series ended`);
  for (const warning of warnings) told.push(`warning: ${warning}`);
  for (const one of dependencies) told.push(`${one}: run again for it once these blocks are in`);
  return told;
}

/** As promtool reads the same flag. */
function secondsFlag(text: string): number {
  const ms = parseTime(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('Expected a date such as 2026-01-31T00:00:00Z, or Unix seconds.');
}
