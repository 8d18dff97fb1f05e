// Which program exposes these metrics, under the name by which dashboards ask node_exporter for its version.

import { arch } from 'node:os';
import { defineCollector } from '../sdk/collector.ts';

/** Node.js names of architectures as Go has them. */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The collector of a plugin of this version. */
export function newExporterBuild(version: string) {
  return defineCollector({
    name: 'exporter',
    help: 'Version of what exposes these metrics.',
    defaultEnabled: true,
    open({ metrics }) {
      const build = metrics
        .gauge({
          name: 'node_exporter_build_info',
          help: 'Version of the collectors, told as node_exporter tells its own; always 1.',
          labels: ['version', 'goos', 'goarch', 'branch', 'revision', 'goversion', 'tags'],
        })
        .with(`outpost-${version}`, 'linux', GO_ARCHITECTURES[arch()] ?? arch(), '', '', '', '');
      return () => build.set(1);
    },
  });
}
