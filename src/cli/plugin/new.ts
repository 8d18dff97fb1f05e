// `outpost plugin new`

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { OutpostError } from '../../lifecycle/errors.ts';
import { runPluginTool } from './run-plugin-tool.ts';
import { scaffold } from './scaffold.ts';

/** Registers the command. */
export function addNewCommand(plugin: Command): void {
  plugin
    .command('new')
    .description('make a folder with a plugin that works, its test and how to go on')
    .argument('<dir>', 'folder to make; its name is the plugin’s')
    .action(async (dir: string) => {
      await runPluginTool('new', async () => {
        const target = resolve(dir);
        const name = basename(target);
        if (!/^[a-z][a-z0-9-]{0,40}$/.test(name)) {
          const text = `make a plugin: its name is of a-z, 0-9 and -, up to 41 characters: ${name}`;
          throw new OutpostError('bad-data', text);
        }
        if (existsSync(target) && readdirSync(target).length > 0) {
          throw new OutpostError('bad-data', `make a plugin: the folder is not empty: ${dir}`);
        }
        mkdirSync(target, { recursive: true });
        const files = scaffold({ name, sdk: sdkFolder(), extension: sdkExtension() });
        for (const [file, text] of Object.entries(files)) {
          writeFileSync(join(target, file), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
        }
        const main = join(dir, 'main.mjs');
        process.stdout.write(
          `made ${dir}: ${Object.keys(files).join(', ')}\n\n` +
            `  cd ${dir} && npm test\n  outpost plugin check ${main}\n`,
        );
        return true;
      });
    });
}

function sdkFolder(): string {
  return fileURLToPath(new URL('../../../plugins/sdk', import.meta.url));
}

/** The SDK is JavaScript where it was built, TypeScript where it is being worked on. */
function sdkExtension(): string {
  return import.meta.url.endsWith('.ts') ? 'ts' : 'js';
}
