// TCP connections by state, from /proc/net/tcp and tcp6. The kernel writes a line for each socket, so the
// tables are read seldom, and not at all on hosts with very many: /proc/net/sockstat then tells the states
// it knows.

import { readFile } from 'node:fs/promises';
import { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { type Files, isMissing } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';
import { number } from '../sdk/options.ts';

/** States by number from 1 on (include/net/tcp_states.h of the kernel). */
const STATES = [
  'established',
  'syn_sent',
  'syn_recv',
  'fin_wait1',
  'fin_wait2',
  'time_wait',
  'close',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
] as const;

export const tcpstat = defineCollector({
  name: 'tcpstat',
  help: 'TCP connections by state.',
  defaultEnabled: true,
  // The kernel walks its whole table of connections for it: milliseconds even where few are open.
  intervalMs: 30_000,
  options: {
    socketsMax: number(
      'With more sockets, only those that wait after their end are counted.',
      20_000,
      {
        min: 0,
        max: 10_000_000,
      },
    ),
  },
  open({ files, metrics, options }) {
    const family = metrics.gauge({
      name: 'node_tcp_connection_states',
      help: 'Connections in the state; bytes for the two queues.',
      labels: ['state'],
    });
    const states: readonly Series[] = STATES.map(state => family.with(state));
    const received = family.with('rx_queued_bytes');
    const sent = family.with('tx_queued_bytes');
    const tables = ['net/tcp', 'net/tcp6'].map(path => files.proc(path).path);
    const scanner = new ByteScanner();
    const counts = new Float64Array(STATES.length + 1);
    return async () => {
      const known = readSockstat(files);
      if (known.sockets > options.socketsMax) {
        states[STATES.indexOf('time_wait')]!.set(known.timeWait);
        return;
      }
      counts.fill(0);
      let [found, rx, tx] = [0, 0, 0];
      for (const path of tables) {
        const table = await readTable(path);
        if (table === null) continue;
        found++;
        const [tableRx, tableTx] = countStates(scanner.reset(table), counts);
        rx += tableRx;
        tx += tableTx;
      }
      if (found === 0) throw new NoDataError('neither /proc/net/tcp nor /proc/net/tcp6');
      for (const [i, series] of states.entries()) series.set(counts[i + 1]!);
      received.set(rx);
      sent.set(tx);
    };
  },
});

/** Read in a thread of the pool, so that nobody waits for the kernel's walk; null where there is no table. */
async function readTable(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Adds the sockets of a table to `counts`, by number of state; returns the bytes in their queues. */
export function countStates(
  scanner: ByteScanner,
  counts: Float64Array,
): readonly [rx: number, tx: number] {
  let [rx, tx] = [0, 0];
  scanner.line();
  while (scanner.line()) {
    // Slot, local and remote address.
    scanner.skip(3);
    const state = scanner.hex();
    if (!(state < counts.length) || !scanner.wordBefore(':')) continue;
    counts[state]!++;
    tx += scanner.hexValue();
    rx += scanner.hex();
  }
  return [rx, tx];
}

/** Sockets that a table would list, and those among them that wait after their end. */
function readSockstat(files: Files): { readonly sockets: number; readonly timeWait: number } {
  let [sockets, timeWait] = [0, 0];
  for (const path of ['net/sockstat', 'net/sockstat6']) {
    const scanner = files.proc(path).readIfPresent();
    while (scanner?.line()) {
      if (!scanner.wordBefore(':') || !scanner.startsWith('TCP')) continue;
      while (scanner.word()) {
        const isInUse = scanner.is('inuse');
        const isTimeWait = scanner.is('tw');
        const value = scanner.number();
        if (isInUse || isTimeWait) sockets += value;
        if (isTimeWait) timeWait += value;
      }
    }
  }
  return { sockets, timeWait };
}
