// The one door to systeminformation: a worker thread that asks it once for all that hardly ever changes, and
// ends. It starts programs and holds its thread while they run, so it has no place among collectors.

import { parentPort } from 'node:worker_threads';
import {
  baseboard,
  bios,
  chassis,
  cpu,
  diskLayout,
  graphics,
  memLayout,
  system,
} from 'systeminformation';

/** What is not found in time or at all is left out; the rest counts. */
async function ask<T>(question: () => Promise<T>): Promise<T | null> {
  try {
    return await question();
  } catch {
    return null;
  }
}

const { flags: _, ...processor } = (await ask(cpu)) ?? { flags: '' };
parentPort?.postMessage({
  system: await ask(system),
  bios: await ask(bios),
  board: await ask(baseboard),
  chassis: await ask(chassis),
  cpu: processor,
  dimm: await ask(memLayout),
  disk: await ask(diskLayout),
  gpu: (await ask(graphics))?.controllers ?? null,
});
