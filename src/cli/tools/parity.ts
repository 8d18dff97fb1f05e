// `outpost tools parity`

import { setTimeout as waitFor } from 'node:timers/promises';
import type { Command } from 'commander';
import { OutpostError } from '../../lifecycle/errors.ts';
import { compareReadings, formatComparison } from '../../tools/parity/comparison.ts';
import { type ExposedFamily, parseExposedMetrics } from '../../tools/parity/exposed-metrics.ts';
import { withToolFlags } from './flags.ts';
import { runTool, type ToolContext, type ToolFlags } from './run-tool.ts';

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

interface ParityFlags extends ToolFlags {
  readonly agent: string;
  readonly exporter: string;
  readonly wait: string;
  readonly drift: string;
  readonly differences?: boolean;
}

/** Registers the command. */
export function addParityCommand(tools: Command): void {
  withToolFlags(tools.command('parity'))
    .description('compare the metrics of an agent with those of a node_exporter on the same host')
    .option('--agent <url>', 'the metrics of the agent', 'http://127.0.0.1:9190/metrics')
    .option('--exporter <url>', 'the metrics of node_exporter', 'http://127.0.0.1:9100/metrics')
    .option('--wait <seconds>', 'how long to wait for the agent to collect again', '35')
    .option('--drift <share>', 'how far a value may lie outside of both readings', '0.05')
    .option('--differences', 'print what is not the same, one line each')
    .action(async (flags: ParityFlags) => {
      await runTool('parity', flags, context => compare(flags, context));
    });
}

async function compare(flags: ParityFlags, { signal, out }: ToolContext): Promise<boolean> {
  const waitSeconds = numberOf('wait', flags.wait);
  const drift = numberOf('drift', flags.drift);
  const before = await read(flags.agent, signal);
  const other = await read(flags.exporter, signal);
  await waitFor(waitSeconds * 1000, undefined, { signal });
  const after = await read(flags.agent, signal);
  const comparison = compareReadings({ before, other, after }, drift);
  if (flags.differences) for (const line of comparison.differences) await out(`${line}\n`);
  await out(formatComparison(comparison));
  return comparison.rows.every(row => row.sameFamilies === row.families);
}

function numberOf(flag: string, written: string): number {
  const value = Number(written);
  if (written.trim() !== '' && value >= 0) return value;
  throw new OutpostError('bad-data', `--${flag} must be a number of at least 0, not ${written}`);
}

async function read(url: string, signal: AbortSignal): Promise<ReadonlyMap<string, ExposedFamily>> {
  let response: Response;
  try {
    response = await fetch(url, { signal, headers: { accept: 'text/plain; version=0.0.4' } });
  } catch (cause) {
    if (signal.aborted) throw OutpostError.from(signal.reason);
    const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
    throw new OutpostError('unavailable', `read ${url}: ${reason}`, { cause });
  }
  if (!response.ok) {
    throw new OutpostError('unavailable', `read ${url}: status ${response.status}`);
  }
  return parseExposedMetrics(await bounded(url, response));
}

async function bounded(url: string, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new OutpostError('bad-data', `read ${url}: more than ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
