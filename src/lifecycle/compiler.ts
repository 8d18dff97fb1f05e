// Which of V8's compilers a process uses.

import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's middle compiler, Maglev, out of this process; call it before anything is hot. In Node.js 26.10 it
 * now and then ends the whole process, from a thread of its own ("Check failed: is_loadable()"). The compilers
 * below and above it stay. Measured: code that is still warming up costs up to a third more CPU, queries a
 * tenth more time, and the most memory that queries need falls by a third.
 */
export function withoutMaglev(): void {
  setFlagsFromString('--no-maglev');
}
