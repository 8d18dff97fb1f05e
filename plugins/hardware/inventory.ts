// What the host is made of: once when the collectors have settled, then once a day, by a process that ends
// with its answer. Told as series of value 1 and as the plugin's inventory.

import { fileURLToPath } from 'node:url';
import { defineCollector } from '../sdk/collector.ts';
import { runCommand } from '../sdk/command.ts';
import type { Inventory, PluginContext } from '../sdk/features.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { entityOf, PART_LABELS, type Part, type PartKind, partsOf } from './inventory-facts.ts';
import { parseJson } from './json-path.ts';

const DAY_MS = 24 * 60 * 60_000;
/** The start of the agent belongs to the other collectors. */
const SETTLE_MS = 10_000;
const DEADLINE_MS = 60_000;
/** After a failure it is tried again this much later. */
const AGAIN_MS = 60 * 60_000;
/** How often the series are set from what was found. */
const SHOW_MS = 30_000;

/** The process's main, compiled where this module is. */
const ENTRY = fileURLToPath(new URL('./inventory-main.ts', import.meta.url)).replace(
  /\.ts$/,
  import.meta.url.endsWith('.ts') ? '.ts' : '.js',
);

/** Finds what there is; rejects where that takes too long. */
export type ReadInventory = (context: Pick<PluginContext, 'clock'>) => Promise<unknown>;

/** Collector and inventory over one reading a day. */
export function newInventory(read: ReadInventory) {
  let at = -Infinity;
  let reading: Promise<readonly Part[]> = Promise.resolve([]);
  let latest: readonly Part[] = [];
  let problem: unknown = null;
  /** Begins to read where that is due; the promise is of the newest reading. */
  const partsNow = (context: Pick<PluginContext, 'clock'>): Promise<readonly Part[]> => {
    const { clock } = context;
    const now = clock.monotonic();
    if (now - at < (problem === null ? DAY_MS : AGAIN_MS)) return reading;
    at = now;
    const settled = new Promise<void>(resolve => clock.after(SETTLE_MS, resolve));
    reading = settled.then(() => read(context)).then(partsOf);
    reading.then(
      parts => {
        latest = parts;
        problem = null;
      },
      error => {
        problem = error;
      },
    );
    return reading;
  };
  const collector = defineCollector({
    name: 'inventory',
    help: 'What the host is made of: board, firmware, CPUs, memory modules, disks, graphics cards.',
    defaultEnabled: true,
    intervalMs: SHOW_MS,
    open(context) {
      const show = newPartSeries(context.metrics);
      return () => {
        // Nobody waits for it: what was found shows with the next turn.
        void partsNow(context);
        for (const part of latest) show(part);
        if (problem !== null) throw problem;
      };
    },
  });
  const inventory: Inventory = async (context, report) => {
    let known = new Set<string>();
    while (!context.signal.aborted) {
      const entities = (await partsNow(context)).map(entityOf);
      for (const entity of entities) report.present(entity);
      const present = new Set(entities.map(({ id }) => id));
      for (const id of known) if (!present.has(id)) report.gone(id);
      known = present;
      report.complete();
      await untilTomorrow(context);
    }
  };
  return { collector, inventory };
}

function newPartSeries(metrics: Metrics): (part: Part) => void {
  const size = metrics.gauge({
    name: 'node_inventory_size_bytes',
    help: 'Size of a memory module or disk.',
    labels: ['kind', 'id'],
  });
  const info = (kind: PartKind) =>
    metrics.gauge<readonly string[]>({
      name: `node_inventory_${kind}_info`,
      help: `Identity of the ${kind}; always 1.`,
      labels: ['id', ...Object.keys(PART_LABELS[kind])],
    });
  return ({ kind, id, texts, bytes }) => {
    info(kind)
      .with(id, ...texts)
      .set(1);
    if (bytes > 0) size.with(kind, id).set(bytes);
  };
}

function untilTomorrow({ clock, signal }: PluginContext & { signal: AbortSignal }): Promise<void> {
  return new Promise(resolve => {
    const cancel = clock.after(DAY_MS, resolve);
    signal.addEventListener(
      'abort',
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}

/** Asks systeminformation, in a process of its own. */
export const readInProcess: ReadInventory = async ({ clock }) => {
  const { code, stdout, stderr } = await runCommand(process.execPath, [ENTRY], {
    clock,
    timeoutMs: DEADLINE_MS,
  });
  if (code !== 0) throw new Error(`the inventory ended with code ${code}: ${stderr.trim()}`);
  return parseJson(stdout);
};

export const { collector: inventory, inventory: hostInventory } = newInventory(readInProcess);
