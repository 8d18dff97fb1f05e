// The head's postings for selections that test many values: a label with a million values takes a regular
// expression a second, in which ingest has its turns.

import type { Slicer } from '../../lifecycle/slicer.ts';
import { union } from '../index/postings.ts';
import type { PostingsSource } from '../index/postings-for-matchers.ts';
import type { HeadIndex } from './head-index.ts';

const CHECK_VALUES = 64;
/** Lists that are joined in one go. */
const LISTS_MAX = 4096;

/** The index as a source that gives way between values. */
export function slicedPostings(index: HeadIndex, slicer: Slicer): PostingsSource {
  return {
    allPostings: () => index.allPostings(),
    postings: (name, values) =>
      values.length <= CHECK_VALUES
        ? index.postings(name, values)
        : postingsOf(index, slicer, name, values),
    postingsWhere: (name, accepts) => postingsWhere(index, slicer, { name, accepts }),
    breathe: () => (slicer.due ? slicer.pause() : undefined),
  };
}

/** Lists that are joined some at a time. */
class Joining {
  readonly #slicer: Slicer;
  readonly #joined: Uint32Array[] = [];
  #found: Uint32Array[] = [];

  constructor(slicer: Slicer) {
    this.#slicer = slicer;
  }

  add(list: Uint32Array): void {
    this.#found.push(list);
    if (this.#found.length < LISTS_MAX) return;
    this.#joined.push(union(this.#found));
    this.#found = [];
  }

  async end(): Promise<Uint32Array> {
    this.#joined.push(union(this.#found));
    if (this.#slicer.due) await this.#slicer.pause();
    return union(this.#joined);
  }
}

async function postingsOf(
  index: HeadIndex,
  slicer: Slicer,
  name: string,
  values: readonly string[],
): Promise<Uint32Array> {
  const joining = new Joining(slicer);
  for (let from = 0; from < values.length; from += CHECK_VALUES) {
    // Symbols are looked up anew in each part: one may come to mean another string while this gives way.
    joining.add(index.postings(name, values.slice(from, from + CHECK_VALUES)));
    if (slicer.due) await slicer.pause();
  }
  return await joining.end();
}

async function postingsWhere(
  index: HeadIndex,
  slicer: Slicer,
  { name, accepts }: { readonly name: string; readonly accepts: (value: string) => boolean },
): Promise<Uint32Array> {
  const symbol = index.symbols.find(name);
  if (symbol < 0) return new Uint32Array(0);
  const joining = new Joining(slicer);
  let visited = 0;
  // The iterator follows changes made while this gives way: it never yields a value that has gone, and while
  // a value is there its name's symbol means the name.
  for (const value of index.lists.values(symbol)) {
    if (accepts(index.symbols.text(value))) joining.add(index.lists.get(symbol, value));
    if (++visited % CHECK_VALUES === 0 && slicer.due) await slicer.pause();
  }
  return await joining.end();
}
