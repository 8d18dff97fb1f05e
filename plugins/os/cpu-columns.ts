// Tables with a column for each CPU, such as /proc/interrupts and /proc/softirqs: their heading, which
// changes when a CPU is taken out or put in.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { RowCache } from '../sdk/row-cache.ts';

/** The CPUs of a table's heading. */
export class CpuColumns {
  readonly #names = new RowCache(name => name.slice('CPU'.length));
  /** Numbers of the CPUs in the order of their columns. */
  cpus: readonly string[] = [];
  /** Grows whenever the columns change, so that what belongs to them can be made anew. */
  version = 0;

  /** Reads the heading, which is the scanner's next line. */
  read(scanner: ByteScanner): void {
    let count = 0;
    let changed = false;
    const found: string[] = [];
    for (scanner.line(); scanner.word(); count++) {
      const name = this.#names.at(count, scanner);
      found.push(name);
      changed ||= this.cpus[count] !== name;
    }
    this.#names.sweep();
    if (!changed && count === this.cpus.length) return;
    this.cpus = found;
    this.version++;
  }
}
