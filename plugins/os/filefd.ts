// Open files of the whole host from /proc/sys/fs/file-nr.

import { defineCollector } from '../sdk/collector.ts';

export const filefd = defineCollector({
  name: 'filefd',
  help: 'File descriptors in use and their limit.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const file = files.proc('sys/fs/file-nr');
    const allocated = metrics
      .gauge({ name: 'node_filefd_allocated', help: 'File descriptors in use.' })
      .with();
    const maximum = metrics
      .gauge({ name: 'node_filefd_maximum', help: 'Most file descriptors there may be.' })
      .with();
    return () => {
      const scanner = file.read();
      scanner.line();
      const used = scanner.number();
      // The second number, once the free ones, is always 0.
      scanner.skip(1);
      const most = scanner.number();
      if (Number.isNaN(most)) throw new Error(`three numbers expected in ${file.path}`);
      allocated.set(used);
      maximum.set(most);
    };
  },
});
