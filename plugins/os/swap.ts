// Swap devices and files, from /proc/swaps.

import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';

const KIBIBYTE = 1024;

export const swap = defineCollector({
  name: 'swap',
  help: 'Size, use and priority of swap devices.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const gauge = (name: string, help: string) =>
      metrics.gauge({ name: `node_swap_${name}`, help, labels: ['device', 'swap_type'] });
    const size = gauge('size_bytes', 'Size of the swap device.');
    const used = gauge('used_bytes', 'Space in use.');
    const priority = gauge('priority', 'Priority: the highest is used first.');
    const devices = new RowCache(
      device =>
        new RowCache<readonly Series[]>(type => [
          size.with(device, type),
          used.with(device, type),
          priority.with(device, type),
        ]),
    );
    const file = files.proc('swaps');
    return () => {
      const scanner = file.read();
      scanner.line();
      for (let position = 0; scanner.line(); position++) {
        if (!scanner.word()) continue;
        const types = devices.at(position, scanner);
        if (!scanner.word()) continue;
        const [sizeBytes, usedBytes, rank] = types.at(0, scanner);
        types.sweep();
        sizeBytes!.set(scanner.number() * KIBIBYTE);
        usedBytes!.set(scanner.number() * KIBIBYTE);
        rank!.set(scanner.number());
      }
      devices.sweep();
    };
  },
});
