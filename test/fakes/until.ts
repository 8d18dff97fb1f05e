// Waits for processes: polls a condition, with a deadline that names what did not happen.

/** Resolves once `condition` holds; rejects with `what` after `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean,
  deadlineMs = 10_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen in ${deadlineMs} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
