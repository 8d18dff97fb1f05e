// Sockets in use from /proc/net/sockstat and sockstat6: lines of a protocol and pairs of state and count.

import { join } from 'node:path';
import { defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** States that are exposed; the kernel has had no others. */
const STATES: readonly string[] = ['inuse', 'orphan', 'tw', 'alloc', 'mem', 'memory'];
const USUAL_PAGE_SIZE = 4096;
/** Key of the page size in the auxiliary vector (AT_PAGESZ). */
const AUXV_PAGE_SIZE = 6;

/** The page size that an auxiliary vector (64-bit words, little-endian) tells; null where it does not. */
export function parsePageSize(auxv: Uint8Array): number | null {
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength);
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    if (view.getUint32(at, true) === AUXV_PAGE_SIZE) return view.getUint32(at + 8, true);
  }
  return null;
}

export const sockstat = defineCollector({
  name: 'sockstat',
  help: 'Sockets in use by protocol and state.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const pageSize = readPageSize(files);
    const tables = ['net/sockstat', 'net/sockstat6'].map(path => ({
      file: files.proc(path),
      protocols: new RowCache(name => new Protocol(name, metrics)),
    }));
    const used = metrics
      .gauge({ name: 'node_sockstat_sockets_used', help: 'Sockets of all kinds in use.' })
      .with();
    return () => {
      for (const { file, protocols } of tables) {
        const scanner = file.readIfPresent();
        for (let position = 0; scanner?.line(); ) {
          if (!scanner.wordBefore(':')) continue;
          if (scanner.is('sockets')) {
            scanner.skip(1);
            used.set(scanner.number());
            continue;
          }
          const protocol = protocols.at(position++, scanner);
          for (let pair = 0; scanner.word(); pair++) {
            const state = protocol.states.at(pair, scanner);
            const count = scanner.number();
            state?.set(count);
            if (state !== null && state === protocol.mem) protocol.memBytes.set(count * pageSize);
          }
          protocol.states.sweep();
        }
        protocols.sweep();
      }
    };
  },
});

class Protocol {
  readonly states: RowCache<Series | null>;
  /** The state counted in pages, which is exposed in bytes too. */
  readonly mem: Series;
  readonly memBytes: Series;

  constructor(name: string, metrics: Metrics) {
    const gauge = (state: string): Series =>
      metrics
        .gauge({
          name: `node_sockstat_${name}_${state}`,
          help: `${name} sockets: ${state} of the kernel's socket statistics.`,
        })
        .with();
    this.mem = gauge('mem');
    this.memBytes = gauge('mem_bytes');
    this.states = new RowCache(state => (STATES.includes(state) ? gauge(state) : null));
  }
}

function readPageSize(files: Files): number {
  const auxv = files.bytes(join(files.roots.procfs, 'self/auxv'));
  return (auxv && parsePageSize(auxv)) ?? USUAL_PAGE_SIZE;
}
