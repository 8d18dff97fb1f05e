#!/usr/bin/env node
// A collector in TypeScript with the SDK: age of the files of a folder, an event when one has not been
// renewed for too long, and a function that lists them. Outside of this repository, import from
// 'outpost/plugins/sdk/…'.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { defineCollector, NoDataError } from '../../sdk/collector.ts';
import { defineFunction } from '../../sdk/features.ts';
import { number, pattern, text } from '../../sdk/options.ts';
import { definePlugin } from '../../sdk/runtime.ts';
import { serve } from '../../sdk/serve.ts';
import { wait } from '../../sdk/wait.ts';

const OPTIONS = {
  folder: text('Folder to look into.', '/var/backups'),
  include: pattern('Files to look at.', ''),
  staleHours: number('Age at which a file counts as forgotten.', 26, { min: 0.001, max: 100_000 }),
};

function filesOf(folder: string, include: RegExp | null) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isFile() && (include === null || include.test(entry.name)))
    .map(({ name }) => ({ name, ...statSync(join(folder, name)) }));
}

const backups = defineCollector({
  name: 'backups',
  help: 'When the files of a folder were written.',
  defaultEnabled: true,
  intervalMs: 10_000,
  instances: true,
  options: OPTIONS,
  probe({ options: { folder } }) {
    readdirSync(folder);
    return { outcome: 'ok' };
  },
  open({ metrics, options: { folder, include } }) {
    const written = metrics.gauge({
      name: 'example_backup_time_seconds',
      help: 'When the file was written, Unix time.',
      unit: 'seconds',
      labels: ['folder', 'file'],
    });
    const count = metrics
      .gauge({ name: 'example_backup_files', help: 'Files in the folder.', labels: ['folder'] })
      .with(folder);
    return () => {
      const files = filesOf(folder, include);
      if (files.length === 0) throw new NoDataError(`no files in ${folder}`);
      count.set(files.length);
      for (const file of files) written.with(folder, file.name).set(file.mtimeMs / 1000);
    };
  },
  events: {
    declares: [
      { name: 'backup.stale', help: 'A file has not been renewed for too long.', severity: 'warn' },
    ],
    async watch(context, emit) {
      const { options, clock, resumeAfter } = context;
      const { folder, include, staleHours } = options;
      let told = Number(resumeAfter || 0);
      for (;;) {
        const limit = clock.now() - staleHours * 3_600_000;
        const stale = filesOf(folder, include).filter(f => f.mtimeMs > told && f.mtimeMs <= limit);
        for (const { name, mtimeMs } of stale.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
          const message = `${name} has not been renewed for ${staleHours} h`;
          const subject = { type: 'file', key: join(folder, name) };
          await emit({ name: 'backup.stale', subject, message, cursor: String(mtimeMs) });
          told = mtimeMs;
        }
        await wait(context, 10_000);
      }
    },
  },
});

const list = defineFunction({
  name: 'list',
  help: 'Lists the files of a folder, the oldest first.',
  access: 'public',
  args: { folder: OPTIONS.folder },
  async run({ args: { folder } }, output) {
    const files = filesOf(folder, null).sort((a, b) => a.mtimeMs - b.mtimeMs);
    for (const { name, size } of files) await output.row({ name, size });
  },
});

await serve(
  definePlugin({ name: 'backups', version: '1.0.0', collectors: [backups], functions: [list] }),
);
