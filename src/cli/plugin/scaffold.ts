// The files of a new plugin. Texts for people to read and change; a test runs what they say.

export interface ScaffoldOptions {
  /** a-z, 0-9 and -. */
  readonly name: string;
  /** Absolute path of the SDK's folder, and what its files end in. */
  readonly sdk: string;
  readonly extension: string;
}

/** Texts by file name. */
export function scaffold(options: ScaffoldOptions): Readonly<Record<string, string>> {
  const { name } = options;
  return {
    'main.mjs': main(name),
    'plugin-definition.mjs': definition(name),
    'collector.mjs': collector(name),
    'collector.test.mjs': test(name),
    'sdk.mjs': sdk(options),
    'package.json': `${JSON.stringify(packageJson(name), null, 2)}\n`,
    'plugin.yaml': `name: ${name}\nexec: ./main.mjs\n`,
    'README.md': readme(name),
  };
}

function metricName(name: string): string {
  return name.replaceAll('-', '_');
}

function main(name: string): string {
  return `#!/usr/bin/env node
// The process of the plugin "${name}".

import { plugin } from './plugin-definition.mjs';
import { serve } from './sdk.mjs';

await serve(plugin);
`;
}

function definition(name: string): string {
  return `// What the plugin "${name}" consists of. Another collector is another file and another entry here.

import { collector } from './collector.mjs';
import { definePlugin } from './sdk.mjs';

export const plugin = definePlugin({
  name: '${name}',
  version: '0.1.0',
  collectors: [collector],
});
`;
}

function collector(name: string): string {
  const metric = metricName(name);
  return `// Files of a folder: how many there are, and how large. Put what you want to measure in its place.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector, NoDataError, text } from './sdk.mjs';

export const collector = defineCollector({
  name: '${name}',
  help: 'Number and size of the files of a folder.',
  defaultEnabled: true,
  // It reads no more often than this; in between its values are repeated.
  intervalMs: 5_000,
  // An operator sets these; they come checked.
  options: { folder: text('Folder to look into.', '/etc') },
  // Happens once, and again for a new configuration.
  open({ metrics, options: { folder } }) {
    const files = metrics
      .gauge({ name: '${metric}_files', help: 'Files in the folder.', labels: ['folder'] })
      .with(folder);
    const size = metrics.gauge({
      name: '${metric}_size_bytes',
      help: 'Size of the files of a kind.',
      unit: 'bytes',
      labels: ['folder', 'kind'],
    });
    // Happens at each collection. A series that is not set has ended.
    return () => {
      const found = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile());
      if (found.length === 0) throw new NoDataError(\`no files in \${folder}\`);
      const bytes = new Map();
      for (const { name } of found) {
        const kind = /\\.([a-z0-9]{1,8})$/.exec(name)?.[1] ?? 'none';
        bytes.set(kind, (bytes.get(kind) ?? 0) + statSync(join(folder, name)).size);
      }
      files.set(found.length);
      for (const [kind, sum] of bytes) size.with(folder, kind).set(sum);
    };
  },
});
`;
}

function test(name: string): string {
  const metric = metricName(name);
  return `// The collector in a host that is none: what it exposes is text, to be compared with text.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { plugin } from './plugin-definition.mjs';
import { FakeHost } from './sdk.mjs';

const folder = mkdtempSync(join(tmpdir(), '${name}-'));
after(() => rmSync(folder, { recursive: true }));

function collect() {
  const host = new FakeHost(plugin, { collectors: { '${name}': { options: { folder } } } });
  return host.collect().finally(() => host.close());
}

test('exposes number and size of files', async () => {
  writeFileSync(join(folder, 'a.txt'), 'four');
  writeFileSync(join(folder, 'b.txt'), 'seven');
  const text = await collect();
  assert.match(text, new RegExp(\`^${metric}_files{folder="\${folder}"} 2$\`, 'm'));
  assert.match(text, new RegExp(\`^${metric}_size_bytes{folder="\${folder}",kind="txt"} 9$\`, 'm'));
  assert.match(text, /^node_scrape_collector_success{collector="${name}"} 1$/m);
});
`;
}

function sdk({ sdk: folder, extension }: ScaffoldOptions): string {
  const exports: readonly (readonly [string, string])[] = [
    ['collector', 'defineCollector, NoDataError'],
    ['fake-host', 'FakeHost'],
    ['features', 'defineFunction'],
    ['options', 'flag, number, pattern, text'],
    ['runtime', 'definePlugin'],
    ['serve', 'serve'],
    ['wait', 'wait'],
  ];
  const lines = exports.map(
    ([file, names]) => `export { ${names} } from '${folder}/${file}.${extension}';`,
  );
  return `// Where Outpost is installed: the one file to change when that is somewhere else.\n\n${lines.join('\n')}\n`;
}

function packageJson(name: string): object {
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { test: 'node --test' },
    engines: { node: '>=22.18' },
  };
}

function readme(name: string): string {
  return `# ${name}

A plugin for Outpost. \`collector.mjs\` is what you change.

\`\`\`sh
npm test                                  # its own test, without a host
outpost plugin check ./main.mjs           # does it keep the protocol, and what does it cost?
outpost plugin describe ./main.mjs        # a page of documentation
\`\`\`

Let an agent run it, by its configuration:

\`\`\`yaml
plugins:
  ${name}:
    command: [/path/to/${name}/main.mjs]
    collectors:
      ${name}:
        options: { folder: /var/log }
\`\`\`

or by putting this folder into the directory that \`outpost agent --plugins.dir\` names.
`;
}
