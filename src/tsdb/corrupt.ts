// The error of stored bytes that are not what was written. Every reader of this folder raises it with
// the file and the offset, so that an operator can look at the very bytes.

import { OutpostError } from '../lifecycle/errors.ts';

/** A 'corrupt' error: what was being read, why it cannot be, and where. */
export function corrupt(what: string, file: string, offset: number): OutpostError {
  return new OutpostError('corrupt', `${what}: ${file} at offset ${offset}`);
}
