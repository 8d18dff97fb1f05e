// `outpost plugin describe`

import type { Command } from 'commander';
import { CheckedProcess } from '../../../plugins/host/check/checked-process.ts';
import { newIdentity } from '../../../plugins/sdk/certificate.ts';
import { systemClock } from '../../lifecycle/clock.ts';
import { describePage } from './describe-page.ts';
import { fillRandom, pluginCommand, runPluginTool } from './run-plugin-tool.ts';

interface DescribeFlags {
  readonly json?: boolean;
}

/** Registers the command. */
export function addDescribeCommand(plugin: Command): void {
  plugin
    .command('describe')
    .description('print what a plugin says of itself as a page of Markdown')
    .argument('<executable>', 'the plugin: an executable, or a script of Node.js')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .option('--json', 'print it as JSON')
    .action(async (executable: string, args: string[], flags: DescribeFlags) => {
      await runPluginTool('describe', async ({ socketDir }) => {
        const command = pluginCommand(executable, args);
        const identity = newIdentity({ now: systemClock.now(), fillRandom });
        const options = { clock: systemClock, socketDir };
        const secured = new CheckedProcess(command, { ...options, identity });
        // Not every plugin speaks TLS, and there is nothing secret in a description.
        const hasTls = (await secured.handshake().catch(() => null))?.certificate;
        const described = hasTls ? secured : new CheckedProcess(command, options);
        try {
          const description = await (await described.connect()).describe();
          const text = flags.json
            ? `${JSON.stringify(description, null, 2)}\n`
            : describePage(description);
          process.stdout.write(text);
          return true;
        } finally {
          await Promise.all([secured.kill(), described.kill()]);
        }
      });
    });
}
