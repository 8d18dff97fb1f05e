// Remembers what belongs to the named rows of a table file (a device, a CPU, a field), so that a pass over
// a file whose rows have not moved makes no strings and looks nothing up.

import type { ByteScanner } from './byte-scanner.ts';

interface Row<T> {
  readonly name: Uint8Array;
  readonly row: T;
  /** The pass in which it was last seen. */
  pass: number;
}

/** One value per row name, found first by the row's position in the file. Call `sweep` after each pass. */
export class RowCache<T> {
  readonly #make: (name: string) => T;
  readonly #drop: (row: T) => void;
  readonly #byName = new Map<string, Row<T>>();
  readonly #byPosition: Row<T>[] = [];
  #pass = 1;
  #seen = 0;

  /** `make` is called once for each new name, `drop` once when a pass no longer has it. */
  constructor(make: (name: string) => T, drop: (row: T) => void = () => {}) {
    this.#make = make;
    this.#drop = drop;
  }

  /** What belongs to the scanner's current word, which stands in row `position` of the file. */
  at(position: number, scanner: ByteScanner): T {
    const expected = this.#byPosition[position];
    const found =
      expected !== undefined && scanner.equals(expected.name)
        ? expected
        : this.#find(position, scanner);
    if (found.pass !== this.#pass) {
      found.pass = this.#pass;
      this.#seen++;
    }
    return found.row;
  }

  /** Ends a pass over the file: rows it did not have are forgotten. */
  sweep(): void {
    if (this.#seen !== this.#byName.size) {
      for (const [name, row] of this.#byName) {
        if (row.pass === this.#pass) continue;
        this.#byName.delete(name);
        this.#drop(row.row);
      }
      this.#byPosition.length = 0;
    }
    this.#pass++;
    this.#seen = 0;
  }

  #find(position: number, scanner: ByteScanner): Row<T> {
    const name = scanner.text();
    let found = this.#byName.get(name);
    if (!found) {
      found = { name: scanner.copy(), row: this.#make(name), pass: 0 };
      this.#byName.set(name, found);
    }
    this.#byPosition[position] = found;
    return found;
  }
}
