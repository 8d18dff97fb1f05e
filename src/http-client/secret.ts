// Reading what a secret says at this moment.

import { readFileSync } from 'node:fs';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import type { Secret } from './options.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** The text, without the newline a file ends in; '' where there is neither. Throws `unavailable`. */
export function secretText({ text, file }: Secret): string {
  if (file === undefined) return text ?? '';
  return secretFile(file).toString('utf8').trim();
}

/** The bytes of a file of secrets. Throws `unavailable`. */
export function secretFile(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new OutpostError('unavailable', `read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (bytes.length <= FILE_BYTES_MAX) return bytes;
  throw new OutpostError('unavailable', `read ${path}: it is larger than 1 MiB`);
}
