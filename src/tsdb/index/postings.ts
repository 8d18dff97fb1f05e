// The algebra of postings: sorted, duplicate-free lists of series ids. Lists are flat Uint32Arrays, so
// the head and the blocks share it. Arguments are borrowed and never changed; a result may be one of
// them or a view of one.

const EMPTY = new Uint32Array(0);
// Where one list is this many times longer, doubling steps through it beat walking it.
const GALLOP_RATIO = 8;
// Above this many bits for each element, sorting beats a bitmap.
const BITS_PER_ELEMENT_MAX = 64;

/** Ids that are in every list; all lists of none is empty. */
export function intersect(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 0) return EMPTY;
  const [first, ...rest] = [...lists].sort((a, b) => a.length - b.length);
  let out = first!;
  for (const list of rest) {
    if (out.length === 0) return EMPTY;
    out = intersectTwo(out, list);
  }
  return out;
}

/** True where the two lists share an id; stops at the first. */
export function intersects(a: Uint32Array, b: Uint32Array): boolean {
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  let at = 0;
  for (let i = 0; i < few.length; i++) {
    at = seek(many, at, few[i]!);
    if (at === many.length) return false;
    if (many[at] === few[i]) return true;
  }
  return false;
}

function intersectTwo(few: Uint32Array, many: Uint32Array): Uint32Array {
  const out = new Uint32Array(few.length);
  const gallop = many.length > few.length * GALLOP_RATIO;
  let count = 0;
  let at = 0;
  for (let i = 0; i < few.length; i++) {
    const id = few[i]!;
    if (gallop) at = seek(many, at, id);
    else while (at < many.length && many[at]! < id) at++;
    if (at === many.length) break;
    if (many[at] === id) out[count++] = id;
  }
  return out.subarray(0, count);
}

/** Index of the first element ≥ `id` from `from` on: doubling steps, then bisection. */
function seek(list: Uint32Array, from: number, id: number): number {
  let step = 1;
  let low = from;
  let high = from;
  while (high < list.length && list[high]! < id) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  if (high > list.length) high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Ids that are in any list. */
export function union(lists: readonly Uint32Array[]): Uint32Array {
  const used = lists.filter(list => list.length > 0);
  if (used.length === 0) return EMPTY;
  if (used.length === 1) return used[0]!;
  if (used.length === 2) return unionTwo(used[0]!, used[1]!);
  let total = 0;
  let low = Infinity;
  let high = 0;
  for (const list of used) {
    total += list.length;
    low = Math.min(low, list[0]!);
    high = Math.max(high, list[list.length - 1]!);
  }
  return high - low < total * BITS_PER_ELEMENT_MAX
    ? unionByBitmap(used, low, high)
    : unionBySort(used, total);
}

function unionTwo(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length + b.length);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i]!;
    const y = b[j]!;
    out[count++] = Math.min(x, y);
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const rest = i < a.length ? a.subarray(i) : b.subarray(j);
  out.set(rest, count);
  return out.subarray(0, count + rest.length);
}

function unionByBitmap(lists: readonly Uint32Array[], low: number, high: number): Uint32Array {
  const words = new Uint32Array(((high - low) >>> 5) + 1);
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const bit = list[i]! - low;
      words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }
  let count = 0;
  for (let w = 0; w < words.length; w++) count += bitCount(words[w]!);
  const out = new Uint32Array(count);
  let at = 0;
  for (let w = 0; w < words.length; w++) {
    for (let bits = words[w]!; bits !== 0; bits &= bits - 1) {
      out[at++] = low + w * 32 + 31 - Math.clz32(bits & -bits);
    }
  }
  return out;
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function unionBySort(lists: readonly Uint32Array[], total: number): Uint32Array {
  const all = new Uint32Array(total);
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  all.sort();
  let count = 1;
  for (let i = 1; i < total; i++) if (all[i] !== all[count - 1]) all[count++] = all[i]!;
  return all.subarray(0, count);
}

/** Ids of `base` that are not in `removed`. */
export function without(base: Uint32Array, removed: Uint32Array): Uint32Array {
  if (base.length === 0 || removed.length === 0) return base;
  const out = new Uint32Array(base.length);
  let count = 0;
  let at = 0;
  for (let i = 0; i < base.length; i++) {
    const id = base[i]!;
    if (at < removed.length && removed[at]! < id) at = seek(removed, at, id);
    if (at === removed.length || removed[at] !== id) out[count++] = id;
  }
  return out.subarray(0, count);
}
