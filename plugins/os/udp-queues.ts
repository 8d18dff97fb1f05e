// Bytes that wait in the queues of UDP sockets, summed from /proc/net/udp and udp6. The kernel writes a
// line for each socket, so hosts with very many are read less often.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { Cadence } from './cadence.ts';

/** Bytes of a table beyond which it is read each `SLOW_MS` only; some 800 sockets. */
const LARGE_BYTES = 100_000;
const SLOW_MS = 15_000;

export const udpQueues = defineCollector({
  name: 'udp_queues',
  help: 'Bytes that wait in the queues of UDP sockets.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const queues = metrics.gauge({
      name: 'node_udp_queues',
      help: 'Memory of datagrams that wait, in bytes.',
      labels: ['queue', 'ip'],
    });
    const absent = new NoDataError('neither /proc/net/udp nor /proc/net/udp6');
    const tables = (['udp', 'udp6'] as const).map(name => ({
      file: files.proc(`net/${name}`),
      tx: queues.with('tx', name === 'udp' ? 'v4' : 'v6'),
      rx: queues.with('rx', name === 'udp' ? 'v4' : 'v6'),
      slowly: new Cadence(SLOW_MS),
      bytes: 0,
      sums: [0, 0] as readonly [number, number],
    }));
    return time => {
      let found = 0;
      for (const table of tables) {
        const due = table.slowly.due(time);
        if (due || table.bytes < LARGE_BYTES) {
          const scanner = table.file.readIfPresent();
          table.bytes = scanner?.size ?? 0;
          if (scanner) table.sums = sumQueues(scanner);
        }
        if (table.bytes === 0) continue;
        found++;
        table.tx.set(table.sums[0]);
        table.rx.set(table.sums[1]);
      }
      if (found === 0) throw absent;
    };
  },
});

/** Bytes to send and bytes received of all sockets of a table. */
export function sumQueues(scanner: ByteScanner): readonly [tx: number, rx: number] {
  let [tx, rx] = [0, 0];
  scanner.line();
  while (scanner.line()) {
    // Slot, local and remote address, state, then the two queues with a colon between them.
    scanner.skip(4);
    if (!scanner.wordBefore(':')) continue;
    tx += scanner.hexValue();
    rx += scanner.hex();
  }
  return [tx, rx];
}
