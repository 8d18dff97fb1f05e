// Links of bonded network devices, from /sys/class/net/bonding_masters and the masters' directories.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';
import { requirePath } from './absence.ts';

interface Bond {
  readonly slavesFile: PseudoFile;
  readonly links: RowCache<PseudoFile>;
  readonly slaves: Series;
  readonly active: Series;
}

export const bonding = defineCollector({
  name: 'bonding',
  help: 'Links of bonded network devices and how many of them are up.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: ['master'] });
    const slaves = gauge('node_bonding_slaves', 'Links of the bond.');
    const active = gauge('node_bonding_active', 'Links of the bond that are up.');
    const masters = files.sys('class/net/bonding_masters');
    const check = requirePath(masters.path, 'the bonding driver is not loaded');
    const bonds = new RowCache<Bond>(name => {
      const directory = join(files.roots.sysfs, 'class/net', name);
      return {
        slavesFile: files.file(join(directory, 'bonding/slaves')),
        links: new RowCache(
          link => linkState(files, directory, link),
          file => files.forget(file),
        ),
        slaves: slaves.with(name),
        active: active.with(name),
      };
    });
    const found: Bond[] = [];
    return time => {
      check(time);
      const scanner = masters.read();
      found.length = 0;
      for (scanner.line(); scanner.word(); ) found.push(bonds.at(found.length, scanner));
      bonds.sweep();
      for (const bond of found) report(bond);
    };
  },
});

function report({ slavesFile, links, slaves, active }: Bond): void {
  const scanner = slavesFile.read();
  const files: PseudoFile[] = [];
  for (scanner.line(); scanner.word(); ) files.push(links.at(files.length, scanner));
  links.sweep();
  let up = 0;
  for (const file of files) {
    const state = file.read();
    if (state.line() && state.word() && state.is('up')) up++;
  }
  slaves.set(files.length);
  active.set(up);
}

/** Older kernels call the link to a lower device slave_. */
function linkState(files: Files, directory: string, link: string): PseudoFile {
  const [now, before] = ['lower', 'slave'].map(prefix =>
    files.file(join(directory, `${prefix}_${link}`, 'bonding_slave/mii_status')),
  );
  return files.text(now!.path) === null ? before! : now!;
}
