// CPU time of what runs one after the other in this process: one reading between two of them, for readings cost
// a system call.

/** Tells the CPU time between two laps, of all threads of the process. */
export class CpuMeter {
  #last = 0;

  /** Begins: what was used before belongs to nobody. */
  start(): void {
    this.#last = usedMicros();
  }

  /** Seconds of CPU time since the last lap or the start. */
  lap(): number {
    const now = usedMicros();
    const seconds = (now - this.#last) / 1_000_000;
    this.#last = now;
    return seconds;
  }
}

function usedMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
