// Measures how long one turn of the event loop keeps the processor: CPU time of this thread, so that other
// load on the machine changes nothing.

/** What a stretch of work did to the event loop. */
export interface Holds {
  /** CPU time of the longest turn, ms. */
  readonly longest: number;
  readonly turns: number;
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Does the work and watches every turn until it is done. */
export async function holdsOf(work: () => Promise<unknown>): Promise<Holds> {
  let longest = 0;
  let turns = 0;
  let last = threadMs();
  let isDone = false;
  const look = (): void => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  await new Promise(resolve => setImmediate(resolve));
  longest = 0;
  try {
    await work();
  } finally {
    isDone = true;
  }
  await new Promise(resolve => setImmediate(resolve));
  return { longest, turns };
}
