// Pressure stall information from /proc/pressure: how long work waited for a resource. "some" is time in
// which at least one task waited, "full" time in which none could run.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector, NoDataError } from '../sdk/collector.ts';
import { isMissing, isSystemError, type PseudoFile } from '../sdk/files.ts';
import type { Series } from '../sdk/metrics.ts';

/** Microseconds of stall in all, NaN where the file does not have the line. */
export interface Stall {
  readonly some: number;
  readonly full: number;
}

/** Reads a pressure file: `some avg10=… avg60=… avg300=… total=…` and the same for full. */
export function parsePressure(scanner: ByteScanner): Stall {
  let some = Number.NaN;
  let full = Number.NaN;
  while (scanner.line() && scanner.word()) {
    const isSome = scanner.is('some');
    while (scanner.wordBefore('=') && !scanner.is('total')) scanner.skip(1);
    if (isSome) some = scanner.number();
    else full = scanner.number();
  }
  return { some, full };
}

interface Resource {
  readonly file: PseudoFile;
  readonly some: Series | null;
  readonly full: Series | null;
}

export const pressure = defineCollector({
  name: 'pressure',
  help: 'Time that work waited for CPU, memory, I/O and interrupts.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const waiting = (name: string): Series =>
      metrics
        .counter({
          name: `node_pressure_${name}_waiting_seconds_total`,
          help: `Time in which some task waited for ${name}.`,
          unit: 'seconds',
        })
        .with();
    const stalled = (name: string): Series =>
      metrics
        .counter({
          name: `node_pressure_${name}_stalled_seconds_total`,
          help: `Time in which no task could go on for want of ${name}.`,
          unit: 'seconds',
        })
        .with();
    const file = (name: string): PseudoFile => files.proc(`pressure/${name}`);
    // Every task waiting for the CPU means nothing for the host as a whole, and irq has no "some".
    const resources: readonly Resource[] = [
      { file: file('cpu'), some: waiting('cpu'), full: null },
      { file: file('io'), some: waiting('io'), full: stalled('io') },
      { file: file('memory'), some: waiting('memory'), full: stalled('memory') },
      { file: file('irq'), some: null, full: stalled('irq') },
    ];
    return () => {
      let found = false;
      for (const { file, some, full } of resources) {
        const stall = readStall(file);
        if (stall === null) continue;
        found = true;
        // Divided twice, as upstream does: the quotient's last bit depends on it.
        if (!Number.isNaN(stall.some)) some?.set(stall.some / 1000 / 1000);
        if (!Number.isNaN(stall.full)) full?.set(stall.full / 1000 / 1000);
      }
      if (!found) throw new NoDataError('this kernel has no pressure stall information');
    };
  },
});

function readStall(file: PseudoFile): Stall | null {
  try {
    return parsePressure(file.read());
  } catch (error) {
    if (isMissing(error)) return null;
    // The kernel has the files and was booted with psi=0.
    if (isSystemError(error, 'EOPNOTSUPP') || isSystemError(error, 'ENOTSUP')) return null;
    throw error;
  }
}
