// What a plugin's inventory holds at present, and those who follow it: each hears first of everything there
// is and then of changes.

import type { Entity, InventoryReport } from './features.ts';

/** Things an inventory may hold. */
const ENTITIES_MAX = 10_000;

/** A change, or everything there is. */
export interface InventoryUpdate {
  readonly present: readonly Entity[];
  readonly gone: readonly string[];
  /** Everything that was there at the start has been told. */
  readonly complete: boolean;
}

/** An inventory with its followers. */
export class InventoryBoard implements InventoryReport {
  readonly #entities = new Map<string, Entity>();
  readonly #followers = new Set<(update: InventoryUpdate) => void>();
  #complete = false;

  /** Tells `follower` of everything and of each change; the returned function ends that. */
  follow(follower: (update: InventoryUpdate) => void): () => void {
    const present = [...this.#entities.values()];
    follower({ present, gone: [], complete: this.#complete });
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  present(entity: Entity): void {
    if (!this.#entities.has(entity.id) && this.#entities.size >= ENTITIES_MAX) {
      throw new RangeError(
        `inventory: more than ${ENTITIES_MAX} things, first beyond: ${entity.id}`,
      );
    }
    this.#entities.set(entity.id, entity);
    this.#tell({ present: [entity], gone: [], complete: this.#complete });
  }

  gone(id: string): void {
    if (!this.#entities.delete(id)) return;
    this.#tell({ present: [], gone: [id], complete: this.#complete });
  }

  complete(): void {
    this.#complete = true;
    this.#tell({ present: [], gone: [], complete: true });
  }

  #tell(update: InventoryUpdate): void {
    for (const follower of this.#followers) follower(update);
  }
}
