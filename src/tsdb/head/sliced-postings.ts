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
    postings: (name, values) => index.postings(name, values),
    postingsWhere: (name, accepts) => postingsWhere(index, slicer, { name, accepts }),
  };
}

async function postingsWhere(
  index: HeadIndex,
  slicer: Slicer,
  { name, accepts }: { readonly name: string; readonly accepts: (value: string) => boolean },
): Promise<Uint32Array> {
  const symbol = index.symbols.find(name);
  if (symbol < 0) return new Uint32Array(0);
  const joined: Uint32Array[] = [];
  let found: Uint32Array[] = [];
  let visited = 0;
  // The iterator follows changes made while this gives way: it never yields a value that has gone, and while
  // a value is there its name's symbol means the name.
  for (const value of index.lists.values(symbol)) {
    if (accepts(index.symbols.text(value))) found.push(index.lists.get(symbol, value));
    if (found.length === LISTS_MAX) {
      joined.push(union(found));
      found = [];
    }
    if (++visited % CHECK_VALUES === 0 && slicer.due) await slicer.pause();
  }
  joined.push(union(found));
  return union(joined);
}
