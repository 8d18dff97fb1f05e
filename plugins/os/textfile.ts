// Metrics that scripts of the host write into files: every *.prom file of the directories, whole or not at
// all where a sample has a time of its own. A file is parsed again when it has changed.

import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CollectorContext, defineCollector } from '../sdk/collector.ts';
import type { Files } from '../sdk/files.ts';
import type { Metrics, Series } from '../sdk/metrics.ts';
import { number, text } from '../sdk/options.ts';
import { parseText, type TextFamily } from './textfile-parser.ts';

type Logger = CollectorContext['logger'];

const OPTIONS = {
  directory: text(
    'Directories with *.prom files, between commas; a * stands for part of a name.',
    '',
  ),
  maxAgeSeconds: number('A file that was not written for so long is left out; 0: never.', 0, {
    min: 0,
    max: 31_536_000,
  }),
  bytesMax: number('Larger files are left out.', 2_097_152, { min: 1, max: 67_108_864 }),
  filesMax: number('Files beyond are left out.', 200, { min: 1, max: 10_000 }),
  samplesMax: number('Samples of all files beyond are left out.', 20_000, {
    min: 1,
    max: 1_000_000,
  }),
};

/** A file as it was when it was last read. */
interface KnownFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
  readonly families: readonly TextFamily[];
  /** What is wrong with it; null where nothing is. */
  readonly problem: string | null;
  /** Set where it is exposed at all. */
  readonly mtime: Series | null;
}

/** A sample whose series has been found. */
interface Exposed {
  readonly file: KnownFile;
  readonly series: Series;
  readonly value: number;
}

export const textfile = defineCollector({
  name: 'textfile',
  help: 'Metrics from *.prom files that others write.',
  defaultEnabled: true,
  options: OPTIONS,
  open({ files, metrics, options, logger, clock }) {
    const scrapeError = metrics
      .gauge({ name: 'node_textfile_scrape_error', help: 'Whether a file could not be used (1).' })
      .with();
    const directories = options.directory
      .split(',')
      .map(directory => directory.trim())
      .filter(directory => directory !== '');
    const board = new Board(metrics, logger, options);
    return () => {
      const found = directories.map(directory => findFiles(files, directory));
      const changed = board.update(found.flatMap(paths => paths ?? []));
      if (changed) board.assign();
      const isMissing = found.includes(null);
      const problems = board.report(clock.now());
      scrapeError.set(isMissing || problems ? 1 : 0);
    };
  },
});

interface Limits {
  readonly maxAgeSeconds: number;
  readonly bytesMax: number;
  readonly filesMax: number;
  readonly samplesMax: number;
}

/** The files and what they have. */
class Board {
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #options: Limits;
  #known = new Map<string, KnownFile>();
  #exposed: readonly Exposed[] = [];
  #tooMuch = false;
  #refused = false;

  constructor(metrics: Metrics, logger: Logger, options: Limits) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#options = options;
  }

  /** Reads what is new or has changed; true where anything did. */
  update(paths: readonly string[]): boolean {
    const before = this.#known;
    const now = new Map<string, KnownFile>();
    let changed = paths.length !== before.size;
    this.#tooMuch = paths.length > this.#options.filesMax;
    for (const path of paths.slice(0, this.#options.filesMax)) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (!stats?.isFile()) continue;
      const known = before.get(path);
      const isSame = known?.mtimeMs === stats.mtimeMs && known.size === stats.size;
      if (!isSame) changed = true;
      now.set(path, isSame ? known : this.#read(path, stats));
    }
    this.#known = now;
    return changed || now.size !== before.size;
  }

  /** Finds the series of all samples of all files; two files may have the same metric. */
  assign(): void {
    const exposed: Exposed[] = [];
    const help = new Map<string, string | null>();
    this.#refused = false;
    for (const file of this.#known.values()) {
      for (const family of file.families) {
        if (help.has(family.name) && help.get(family.name) !== family.help) {
          this.#refuse(file, family.name, 'another file has another help text for it');
          continue;
        }
        help.set(family.name, family.help);
        const relayed = this.#metrics.relayed({
          name: family.name,
          type: family.type,
          help: family.help ?? `Metric read from ${file.path}`,
        });
        if (relayed === null) {
          this.#refuse(file, family.name, 'there is one of that name or of another type already');
          continue;
        }
        for (const sample of family.samples) {
          const series = relayed.series(sample.suffix, sample.labels);
          exposed.push({ file, series, value: sample.value });
        }
      }
    }
    if (exposed.length > this.#options.samplesMax) this.#tooMuch = true;
    this.#exposed = exposed.slice(0, this.#options.samplesMax);
  }

  /** Sets all samples of files that are fresh enough; true where a file could not be used wholly. */
  report(now: number): boolean {
    const { maxAgeSeconds } = this.#options;
    const isFresh = ({ mtimeMs }: KnownFile): boolean =>
      maxAgeSeconds === 0 || now - mtimeMs <= maxAgeSeconds * 1000;
    for (const { file, series, value } of this.#exposed) if (isFresh(file)) series.set(value);
    let problems = this.#tooMuch || this.#refused;
    for (const file of this.#known.values()) {
      if (file.problem !== null) problems = true;
      // An old file's time is told, so that an alert can find it.
      file.mtime?.set(Math.floor(file.mtimeMs / 1000));
    }
    return problems;
  }

  #read(path: string, { mtimeMs, size }: Stats): KnownFile {
    const nothing = { path, mtimeMs, size, families: [], mtime: null };
    const refuse = (problem: string): KnownFile => {
      this.#logger.warn('a text file is left out', { file: path, problem });
      return { ...nothing, problem };
    };
    if (size > this.#options.bytesMax)
      return refuse(`it has more than ${this.#options.bytesMax} bytes`);
    let content: string;
    try {
      content = readFileSync(path, 'utf8');
    } catch (error) {
      return refuse((error as Error).message);
    }
    const { families, problem, wrong, hasTimes } = parseText(content);
    if (hasTimes) return refuse('samples have times of their own, which would never end');
    if (problem !== null) {
      this.#logger.warn('lines of a text file are left out', { file: path, lines: wrong, problem });
    }
    const mtime = this.#metrics
      .gauge({
        name: 'node_textfile_mtime_seconds',
        help: 'When the file was last written, Unix time.',
        labels: ['file'],
      })
      .with(path);
    const filled = [...families.values()].filter(({ samples }) => samples.length > 0);
    return { path, mtimeMs, size, families: filled, problem, mtime };
  }

  #refuse(file: KnownFile, metric: string, problem: string): void {
    this.#refused = true;
    this.#logger.warn('a metric of a text file is left out', { file: file.path, metric, problem });
  }
}

/** The *.prom files of a directory, or of all directories a pattern with * matches; null: there is none. */
function findFiles(files: Files, directory: string): string[] | null {
  const directories = expand(files, directory);
  const present = directories.filter(path =>
    statSync(path, { throwIfNoEntry: false })?.isDirectory(),
  );
  if (present.length === 0) return null;
  return present.flatMap(path =>
    files
      .list(path)
      .filter(name => name.endsWith('.prom'))
      .map(name => join(path, name)),
  );
}

function expand(files: Files, path: string): string[] {
  const parts = path.split('/');
  let found = [path.startsWith('/') ? '/' : '.'];
  for (const part of parts.filter(each => each !== '')) {
    if (!part.includes('*')) found = found.map(parent => join(parent, part));
    else {
      const escaped = part.split('*').map(text => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
      const matches = new RegExp(`^${escaped.join('.*')}$`);
      found = found.flatMap(parent =>
        files
          .list(parent)
          .filter(name => matches.test(name))
          .map(name => join(parent, name)),
      );
    }
  }
  return found;
}
