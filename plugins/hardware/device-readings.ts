// What most collectors of hardware do: find devices seldom, then read one number from each of their small
// files. Files of slow chips would hold up the whole process, so a pass makes way for others now and then;
// what could not be read has no value.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Collect, CollectorContext } from '../sdk/collector.ts';
import { NoDataError } from '../sdk/collector.ts';
import type { Files, PseudoFile } from '../sdk/files.ts';
import type { Family, Series } from '../sdk/metrics.ts';

/** Directories are listed again this often, and everything is found anew where a listing has changed … */
const LIST_MS = 60_000;
/** … or this much time has passed. A host without such hardware is asked no more often than this. */
const FIND_MS = 600_000;
/** A file that brings no number is passed over for ever more passes, at most this many. */
const PASSES_SKIPPED_MAX = 32;
/** Readings between two looks at the clock. */
const READINGS_A_LOOK = 8;
/** A pass holds up the process no longer than this at a time, ms, but for one file that is slow by itself. */
const SLICE_MS = 5;

/** How a file's number becomes the series' value: `number * times / over`, or by hand from its text. */
export interface Conversion {
  readonly times?: number;
  readonly over?: number;
  /** Reads the trimmed text; NaN is no value. Called only when the text has changed. */
  readonly parse?: (text: string) => number;
}

/** Where a search says what it found. Paths are below /sys. */
export interface Findings {
  /** A series that has the number in the file; it ends while the file cannot be read or holds none. */
  number(path: string, series: Series, conversion?: Conversion): void;
  /**
   * A series of value 1 whose label values are texts of files (paths, or what `text` gave) or fixed
   * (`{ text }`); a file that cannot be read is an empty text. It follows the texts as they change.
   */
  info<Names extends readonly string[]>(
    family: Family<Names>,
    parts: readonly (string | { readonly text: string })[],
  ): void;
  /** A series that keeps its value until the next search. */
  constant(series: Series, value: number): void;
  /** The text of a file, through `edit` where one is given: for `info`, or for `each` to read. */
  text(path: string, edit?: (text: string) => string): FileText;
  /** Something that is read by hand at each pass; it sets its series each time it is called. */
  each(read: () => void): void;
}

/** What a collector of devices has to say for itself. */
export interface DeviceSearch {
  readonly files: Files;
  readonly clock: CollectorContext['clock'];
  /** Directories below /sys in which devices appear and go. */
  readonly directories: readonly string[];
  /**
   * True where the host has no such hardware at all when none of the directories exists: the collector
   * then has no data.
   */
  readonly mustExist: boolean;
  /** Finds all there is. Throwing NoDataError ends the collection as usual. */
  readonly find: (findings: Findings) => void;
  /** For a collector with an interval of its own: descriptors are scarce, so its files are not kept open. */
  readonly isSlow?: boolean;
}

/** Returns a collection over the devices that the search finds. */
export function collectDevices(search: DeviceSearch): Collect {
  const { files, directories } = search;
  const keepOpen = search.isSlow !== true;
  const absolute = directories.map(directory => join(files.roots.sysfs, directory));
  let found = new FoundDevices(files, keepOpen);
  let listing = '';
  let problem: NoDataError | null = null;
  let listedAt = -Infinity;
  let foundAt = -Infinity;
  const look = (time: number): void => {
    const absent = problem !== null || found.isEmpty;
    if (Math.abs(time - listedAt) < (absent ? FIND_MS : LIST_MS)) return;
    listedAt = time;
    const now = absolute.map(path => files.list(path).join('/')).join('\n');
    if (now === listing && Math.abs(time - foundAt) < FIND_MS) return;
    listing = now;
    foundAt = time;
    problem = null;
    const next = new FoundDevices(files, keepOpen);
    if (search.mustExist && !absolute.some(existsSync)) {
      problem = new NoDataError(`nothing at ${absolute.join(', ')}`);
    } else {
      try {
        search.find(next);
      } catch (error) {
        if (!(error instanceof NoDataError)) throw error;
        problem = error;
      }
    }
    next.replace(found);
    found = next;
  };
  return time => {
    look(time);
    if (problem) throw problem;
    found.beginPass();
    if (!found.read(search.clock, SLICE_MS)) return finishPass(found, search.clock);
    found.report();
  };
}

async function finishPass(found: FoundDevices, clock: DeviceSearch['clock']): Promise<void> {
  do await new Promise(setImmediate);
  while (!found.read(clock, SLICE_MS));
  found.report();
}

interface Reading {
  readonly file: PseudoFile;
  readonly series: Series;
  readonly times: number;
  readonly over: number;
  readonly text: FileText | null;
  readonly parse: ((text: string) => number) | null;
  value: number;
  /** Passes it is left out for, and how many the last failure cost. */
  skip: number;
  penalty: number;
}

class FoundDevices implements Findings {
  readonly #files: Files;
  readonly #keepOpen: boolean;
  readonly #readings: Reading[] = [];
  readonly #infos: InfoSeries[] = [];
  readonly #constants: Series[] = [];
  readonly #values: number[] = [];
  readonly #byHand: (() => void)[] = [];
  readonly #used = new Set<PseudoFile>();
  /** The next reading of the pass under way. */
  #next = 0;

  constructor(files: Files, keepOpen: boolean) {
    this.#files = files;
    this.#keepOpen = keepOpen;
  }

  get isEmpty(): boolean {
    const { length } = this.#readings;
    return length + this.#infos.length + this.#constants.length + this.#byHand.length === 0;
  }

  number(path: string, series: Series, conversion: Conversion = {}): void {
    const { times = 1, over = 1, parse = null } = conversion;
    const file = this.#use(path);
    const text = parse && new FileText(file);
    const state = { value: Number.NaN, skip: 0, penalty: 0 };
    this.#readings.push({ file, series, times, over, text, parse, ...state });
  }

  info<Names extends readonly string[]>(
    family: Family<Names>,
    parts: readonly (string | { readonly text: string })[],
  ): void {
    const texts = parts.map(part => (typeof part === 'string' ? this.text(part) : part));
    this.#infos.push(new InfoSeries(family, texts));
  }

  text(path: string, edit?: (text: string) => string): FileText {
    return new FileText(this.#use(path), edit);
  }

  constant(series: Series, value: number): void {
    this.#constants.push(series);
    this.#values.push(value);
  }

  each(read: () => void): void {
    this.#byHand.push(read);
  }

  /** Closes files of `before` that are not here. */
  replace(before: FoundDevices): void {
    for (const file of before.#used) if (!this.#used.has(file)) this.#files.forget(file);
  }

  /** Begins a pass over all readings. */
  beginPass(): void {
    this.#next = 0;
    for (const info of this.#infos) info.update();
  }

  /** Goes on with the pass for about `sliceMs`; true where it came to its end. */
  read(clock: DeviceSearch['clock'], sliceMs: number): boolean {
    const started = clock.monotonic();
    while (this.#next < this.#readings.length) {
      this.#read(this.#readings[this.#next++]!);
      if (this.#next % READINGS_A_LOOK === 0 && clock.monotonic() - started > sliceMs) return false;
    }
    return true;
  }

  /** Sets every series that has a value. */
  report(): void {
    for (const { series, value } of this.#readings) if (!Number.isNaN(value)) series.set(value);
    for (let i = 0; i < this.#constants.length; i++) this.#constants[i]!.set(this.#values[i]!);
    for (const info of this.#infos) info.series.set(1);
    for (const read of this.#byHand) read();
  }

  #use(path: string): PseudoFile {
    const file = this.#files.sys(path);
    this.#used.add(file);
    return file;
  }

  #read(reading: Reading): void {
    if (reading.skip > 0) {
      reading.skip--;
      return;
    }
    const number = reading.text
      ? reading.parse!(reading.text.read())
      : readWholeNumber(reading.file);
    if (!this.#keepOpen) reading.file.close();
    reading.value = (number * reading.times) / reading.over;
    reading.penalty = Number.isNaN(number)
      ? Math.min(PASSES_SKIPPED_MAX, reading.penalty * 2 + 1)
      : 0;
    reading.skip = reading.penalty;
  }
}

/** The number that is all of the file's first line; NaN where it is not. */
function readWholeNumber(file: PseudoFile): number {
  try {
    const scanner = file.read();
    if (!scanner.line()) return Number.NaN;
    const number = scanner.number();
    return scanner.word() ? Number.NaN : number;
  } catch {
    return Number.NaN;
  }
}

/** The trimmed text of a small file; the same string as long as the bytes are the same. */
export class FileText {
  text: string = '';
  readonly #file: PseudoFile;
  readonly #edit: (text: string) => string;
  #bytes: Uint8Array = new Uint8Array(0);

  /** `edit` is applied to each new text. */
  constructor(file: PseudoFile, edit: (text: string) => string = text => text) {
    this.#file = file;
    this.#edit = edit;
  }

  /** Reads the file; '' where that cannot be done. */
  read(): string {
    try {
      const scanner = this.#file.read();
      if (!scanner.isWholly(this.#bytes)) {
        this.#bytes = scanner.copyAll();
        this.text = this.#edit(decoder.decode(this.#bytes).replaceAll('\0', '').trim());
      }
    } catch {
      this.#bytes = new Uint8Array(0);
      this.text = '';
    }
    return this.text;
  }
}

const decoder = new TextDecoder();

/** A series whose labels are texts of files. */
class InfoSeries {
  series: Series;
  readonly #family: { with(...values: string[]): Series };
  readonly #parts: readonly (FileText | { readonly text: string })[];
  readonly #values: string[];

  constructor(
    family: Family<readonly string[]>,
    parts: readonly (FileText | { readonly text: string })[],
  ) {
    this.#family = family;
    this.#parts = parts;
    this.#values = parts.map(part => (part instanceof FileText ? part.read() : part.text));
    this.series = family.with(...this.#values);
  }

  update(): void {
    let changed = false;
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i]!;
      if (!(part instanceof FileText) || part.read() === this.#values[i]) continue;
      this.#values[i] = part.text;
      changed = true;
    }
    if (changed) this.series = this.#family.with(...this.#values);
  }
}
