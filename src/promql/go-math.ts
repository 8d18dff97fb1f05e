// Arithmetic where JavaScript's library and the one that defines the language disagree.

/** x to the power y; 1^y and x^±Inf for |x| = 1 are 1, as in C and Go. */
export function pow(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === -1 && (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY)) return 1;
  return x ** y;
}

/** The greater number; NaN where either is, but for infinity, which nothing is greater than. */
export function maxOf(a: number, b: number): number {
  const most = Number.POSITIVE_INFINITY;
  return a === most || b === most ? most : Math.max(a, b);
}

/** The smaller number, as `maxOf`. */
export function minOf(a: number, b: number): number {
  const least = Number.NEGATIVE_INFINITY;
  return a === least || b === least ? least : Math.min(a, b);
}

/** A running sum with Neumaier's compensation; read `value`. Reused, never allocated per sample. */
export class KahanSum {
  sum = 0;
  compensation = 0;

  reset(): void {
    this.sum = 0;
    this.compensation = 0;
  }

  add(value: number): void {
    const sum = this.sum;
    const total = sum + value;
    if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) {
      this.compensation = 0;
    } else if (Math.abs(sum) >= Math.abs(value)) {
      this.compensation += sum - total + value;
    } else {
      this.compensation += value - total + sum;
    }
    this.sum = total;
  }

  get value(): number {
    return this.sum + this.compensation;
  }
}
