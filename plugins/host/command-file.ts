// Finds the file a command means, and says in words why a file could not be run here.

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Where commands without a slash are looked for. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** ELF's e_machine by Node's name of the architecture (System V ABI, "ELF header"). */
const ELF_MACHINES: Readonly<Record<string, number>> = {
  arm: 40,
  arm64: 183,
  ia32: 3,
  loong64: 258,
  ppc64: 21,
  riscv64: 243,
  s390x: 22,
  x64: 62,
};
const HEAD_BYTES = 20;

/** The path a command means, or what is wrong with it. */
export type CommandFile = { readonly path: string } | { readonly problem: string };

/** Looks a command up as execvp(3) does. */
export function findCommand(command: string, path: string = DEFAULT_PATH): CommandFile {
  const candidates = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(command)]
    : path.split(delimiter).map(directory => join(directory, command));
  let found: string | null = null;
  for (const candidate of candidates) {
    try {
      if (!statSync(candidate).isFile()) continue;
    } catch {
      continue;
    }
    if (isExecutable(candidate)) return { path: candidate };
    found ??= candidate;
  }
  if (found === null) return { problem: `there is no such command: ${command}` };
  return { problem: `it may not be executed (chmod +x?): ${found}` };
}

/** Why the kernel would not run the file on this machine; null where nothing speaks against it. */
export function formatProblem(path: string, arch: string = process.arch): string | null {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const descriptor = openSync(path, 'r');
    try {
      readSync(descriptor, head, 0, HEAD_BYTES, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return `it cannot be read: ${String(error)}`;
  }
  const text = head.toString('latin1');
  if (text.startsWith('#!')) return null;
  if (!text.startsWith('\x7fELF'))
    return `it is no program, and no script that begins with #!: ${path}`;
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  const expected = ELF_MACHINES[arch];
  if (expected === undefined || machine === expected) return null;
  const other = Object.entries(ELF_MACHINES).find(([, number]) => number === machine)?.[0];
  return `it is a program for another CPU (${other ?? `ELF machine ${machine}`}, this is ${arch}): ${path}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
