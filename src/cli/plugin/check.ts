// `outpost plugin check`

import type { Command } from 'commander';
import { checkPlugin } from '../../../plugins/host/check/check-plugin.ts';
import { type CheckReport, isConformant } from '../../../plugins/host/check/check-report.ts';
import { writeCollectors } from '../../../plugins/sdk/configure-request.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { OutpostError } from '../../lifecycle/errors.ts';
import { countFlag, option } from '../flags.ts';
import { CheckPrinter } from './check-printer.ts';
import { fillRandom, pluginCommand, runPluginTool } from './run-plugin-tool.ts';

interface CheckFlags {
  readonly json?: boolean;
  readonly collections: number;
  readonly options?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Registers the command. */
export function addCheckCommand(plugin: Command): void {
  plugin
    .command('check')
    .description(
      'hold a plugin to the protocol and say what it costs; exit code 1 if it breaks a rule',
    )
    .argument('<executable>', 'the plugin: an executable, or a script of Node.js')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .option('--json', 'print the findings as JSON')
    .addOption(
      option('--collections <count>', 'collections whose cost is measured', {
        parse: countFlag,
        default: '100',
      }),
    )
    .option(
      '--options <json>',
      'collectors as in the agent’s configuration: {"name":{"options":{}}}',
    )
    .option('--env <name=value>', 'variable of its environment; may be repeated', envFlag)
    .action(async (executable: string, args: string[], flags: CheckFlags) => {
      await runPluginTool('check', async ({ socketDir }) => {
        const colors = process.stdout.isTTY && !process.env['NO_COLOR'];
        const printer = flags.json
          ? null
          : new CheckPrinter(text => process.stdout.write(text), colors);
        const report = await checkPlugin(pluginCommand(executable, args), {
          clock: systemClock,
          fillRandom,
          socketDir,
          collections: flags.collections,
          configuration: { intervalMs: 15_000, collectors: writeCollectors(collectorsOf(flags)) },
          ...(flags.env && { env: flags.env }),
          ...(printer && { onFinding: finding => printer.finding(finding) }),
        });
        if (printer) printer.end(report);
        else process.stdout.write(`${jsonOf(report)}\n`);
        return isConformant(report);
      });
    });
}

function jsonOf(report: CheckReport): string {
  return JSON.stringify({ conformant: isConformant(report), ...report }, null, 2);
}

function collectorsOf({ options }: CheckFlags): Record<string, Record<string, unknown>> {
  if (options === undefined) return {};
  try {
    const value: unknown = JSON.parse(options);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, Record<string, unknown>>;
    }
  } catch {
    // It is told below.
  }
  const text =
    'read --options: expected a JSON object such as {"name":{"options":{"folder":"/x"}}}';
  throw new OutpostError('bad-data', text);
}

function envFlag(
  text: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new OutpostError('bad-data', `read --env: expected name=value: ${text}`);
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
