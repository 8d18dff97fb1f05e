// The one door to systeminformation: a process that asks it once for all that hardly ever changes, prints the
// answers as JSON and ends. It starts programs, waits for them and keeps memory, so it has no place among
// collectors; a worker thread would leave some 10 MiB behind.

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
const found = {
  system: await ask(system),
  bios: await ask(bios),
  board: await ask(baseboard),
  chassis: await ask(chassis),
  cpu: processor,
  dimm: await ask(memLayout),
  disk: await ask(diskLayout),
  gpu: (await ask(graphics))?.controllers ?? null,
};
process.stdout.write(JSON.stringify(found));
