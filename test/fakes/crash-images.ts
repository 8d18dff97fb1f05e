// What a killed process would leave: a copy of a directory before each change that the file system sees,
// and in the middle of each write and each removal of a folder. Everything runs in this thread.

import fs, { cpSync, readdirSync, rmSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/** Called before each change, with what is about to happen; may throw in place of the file system. */
export type BeforeChange = (operation: string) => void;

type Call = (...args: unknown[]) => unknown;

/** Runs `work` while every change to files in this thread is announced. */
export async function watchChanges(before: BeforeChange, work: () => Promise<void>): Promise<void> {
  const restore: (() => void)[] = [];
  const wrap = (owner: object, name: string, wrapped: (original: Call) => Call): void => {
    const methods = owner as Record<string, Call>;
    const original = methods[name]!;
    methods[name] = wrapped(original);
    restore.push(() => (methods[name] = original));
  };
  const announce = (owner: object, name: string): void =>
    wrap(
      owner,
      name,
      original =>
        async function (this: unknown, ...args: unknown[]) {
          before(`${name} ${String(args[0])}`);
          return await original.apply(this, args);
        },
    );
  const probe = await fs.promises.open(process.execPath, 'r');
  const handle = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  for (const name of ['mkdir', 'rename', 'unlink', 'link', 'copyFile']) announce(fs.promises, name);
  for (const name of ['sync', 'writeFile']) announce(handle, name);
  wrap(fs.promises, 'open', original => async (...args) => {
    if (args[1] !== undefined && args[1] !== 'r') before(`open ${String(args[0])}`);
    return await original(...args);
  });
  wrap(fs.promises, 'rm', () => async (path, options) => {
    removeSlowly(String(path), before);
    rmSync(String(path), options as fs.RmOptions);
  });
  wrap(
    handle,
    'write',
    original =>
      async function (this: unknown, bytes, offset, length, position) {
        before('write');
        const half = Math.floor((length as number) / 2);
        if (half > 0) await original.call(this, bytes, offset, half, position);
        before('write the rest');
        const rest = (length as number) - half;
        const at = position as number;
        await original.call(this, bytes, (offset as number) + half, rest, at + half);
        return { bytesWritten: length, buffer: bytes };
      },
  );
  wrap(fs, 'renameSync', original => (...args) => {
    before(`rename ${String(args[0])}`);
    return original(...args);
  });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  }
}

function removeSlowly(path: string, before: BeforeChange): void {
  if (!fs.existsSync(path)) return;
  before(`rm ${path}`);
  if (!fs.statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) {
    const child = join(path, name);
    removeSlowly(child, before);
    rmSync(child, { recursive: true });
  }
}

/** One state of a directory. */
export interface CrashImage {
  /** What was about to happen. */
  readonly operation: string;
  readonly path: string;
}

/** Copies `dir` into folders of `into` before each change that `work` makes. */
export async function crashImages(
  dir: string,
  into: string,
  work: () => Promise<void>,
): Promise<CrashImage[]> {
  const images: CrashImage[] = [];
  await watchChanges(operation => {
    const path = join(into, String(images.length));
    images.push({ operation, path });
    cpSync(dir, path, { recursive: true });
  }, work);
  return images;
}
