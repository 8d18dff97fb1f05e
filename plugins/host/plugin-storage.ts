// The small durable state of plugins: keys and bytes, a file for each plugin, written whole and renamed into
// place, so that a crash leaves the old or the new. Also the place of the cursors that the host keeps.

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { OutpostError } from '../../src/lifecycle/errors.ts';

/** Bytes of one value, and of all keys and values of a plugin. */
export const VALUE_BYTES_MAX = 64 * 1024;
export const STATE_BYTES_MAX = 1024 * 1024;
const KEY_LENGTH_MAX = 256;

/** State of one plugin. */
export interface PluginState {
  /** Null where the key was never put. */
  get(key: string): Promise<Uint8Array | null>;
  /** Resolves once it survives a crash; null deletes. Rejects with `limit-exceeded`. */
  put(key: string, value: Uint8Array | null): Promise<void>;
}

/** Where the state of all plugins lies. */
export interface PluginStorage {
  of(plugin: string): PluginState;
  /** What the host notes about a plugin; the plugin does not see it. */
  notesOn(plugin: string): PluginState;
}

/** State that ends with the process. */
export class MemoryState implements PluginState {
  readonly #values = new Map<string, Uint8Array>();

  async get(key: string): Promise<Uint8Array | null> {
    return this.#values.get(key) ?? null;
  }

  async put(key: string, value: Uint8Array | null): Promise<void> {
    checkBounds(this.#values, key, value);
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, Uint8Array.from(value));
  }
}

/** State in files of one directory. */
export class FileStorage implements PluginStorage {
  readonly #dir: string;
  readonly #states = new Map<string, FileState>();

  /** The directory is made when something is put. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  of(plugin: string): PluginState {
    return this.#state('state', plugin);
  }

  notesOn(plugin: string): PluginState {
    return this.#state('notes', plugin);
  }

  #state(folder: string, plugin: string): PluginState {
    const path = join(this.#dir, folder, fileName(plugin));
    let state = this.#states.get(path);
    if (!state) {
      state = new FileState(join(this.#dir, folder), fileName(plugin));
      this.#states.set(path, state);
    }
    return state;
  }
}

class FileState implements PluginState {
  readonly #dir: string;
  readonly #path: string;
  #values: Promise<Map<string, Uint8Array>> | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#path = join(dir, name);
  }

  async get(key: string): Promise<Uint8Array | null> {
    return (await this.#read()).get(key) ?? null;
  }

  put(key: string, value: Uint8Array | null): Promise<void> {
    const done = this.#turn.catch(() => {}).then(() => this.#write(key, value));
    this.#turn = done;
    return done;
  }

  #read(): Promise<Map<string, Uint8Array>> {
    this.#values ??= readState(this.#path);
    return this.#values;
  }

  async #write(key: string, value: Uint8Array | null): Promise<void> {
    const values = new Map(await this.#read());
    checkBounds(values, key, value);
    if (value === null) values.delete(key);
    else values.set(key, Uint8Array.from(value));
    const entries = [...values].map(([k, v]) => [k, Buffer.from(v).toString('base64')]);
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const next = `${this.#path}.tmp`;
    const file = await open(next, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(Object.fromEntries(entries)));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
    const dir = await open(this.#dir, 'r');
    await dir.sync().finally(() => dir.close());
    this.#values = Promise.resolve(values);
  }
}

async function readState(path: string): Promise<Map<string, Uint8Array>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.map(([k, v]) => [k, Uint8Array.from(Buffer.from(String(v), 'base64'))]));
  } catch (cause) {
    throw new OutpostError('corrupt', `read state of a plugin: ${path}: no JSON; delete the file`, {
      cause,
    });
  }
}

function checkBounds(
  values: ReadonlyMap<string, Uint8Array>,
  key: string,
  value: Uint8Array | null,
): void {
  if (key === '' || key.length > KEY_LENGTH_MAX) {
    const text = `keep state: a key has 1 to ${KEY_LENGTH_MAX} characters, this one ${key.length}`;
    throw new OutpostError('limit-exceeded', text);
  }
  if (value === null) return;
  let bytes = key.length + value.length;
  for (const [k, v] of values) if (k !== key) bytes += k.length + v.length;
  if (value.length > VALUE_BYTES_MAX || bytes > STATE_BYTES_MAX) {
    const text =
      `keep state: a value has at most ${VALUE_BYTES_MAX} bytes, all of a plugin ${STATE_BYTES_MAX}; ` +
      `this one has ${value.length}, all would have ${bytes}`;
    throw new OutpostError('limit-exceeded', text);
  }
}

/** Readable where the plugin's name is a plain one, and never the same for two names. */
function fileName(plugin: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,99}$/.test(plugin)) return `${plugin}.json`;
  return `+${createHash('sha256').update(plugin).digest('hex')}.json`;
}
