// Every parser of bytes against random and damaged bytes: an answer or a typed error, in bounded time and
// memory. A file that reads bytes and is not among the parsers fails a test.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import { PARSERS, type Parser } from './parsers.ts';

const SEED = 20_261_121;
/** Of one input; these are all of a few hundred bytes. */
const CPU_MS_MAX = 1000;
const BUFFER_BYTES_MAX = 64 * 1024 * 1024;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Random numbers that are the same every time. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** The seed with some damage of the kinds that disks, networks and attackers do. */
function damaged(seed: Uint8Array, chance: Chance): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed);
  for (let n = chance.below(4); n >= 0; n--) {
    const at = chance.below(bytes.length + 1);
    const kind = chance.below(6);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1 && at < bytes.length) bytes[at]! ^= 1 << chance.below(8);
    else if (kind === 2 && at < bytes.length) bytes[at] = chance.below(256);
    else if (kind === 3) bytes.fill(chance.below(2) * 0xff, at, at + 1 + chance.below(9));
    else if (kind === 4)
      bytes = joined(bytes.slice(0, at), chance.bytes(chance.below(9)), bytes.slice(at));
    else bytes = joined(bytes.slice(0, at), bytes.slice(at + chance.below(9)));
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

async function hold(parser: Parser, bytes: Uint8Array, what: string): Promise<void> {
  const told = (): string => `${what}: ${Buffer.from(bytes).toString('hex').slice(0, 4000)}`;
  const memory = process.memoryUsage().arrayBuffers;
  const cpu = process.cpuUsage();
  try {
    await parser.parse(bytes);
  } catch (error) {
    const typed = error instanceof OutpostError && error.code !== 'internal';
    const allowed = parser.mayThrow === 'RangeError' && error instanceof RangeError;
    if (!typed && !allowed) throw new Error(told(), { cause: error });
  }
  const { user, system } = process.cpuUsage(cpu);
  if ((user + system) / 1000 > CPU_MS_MAX) expect.fail(`took ${user + system} µs: ${told()}`);
  const grown = process.memoryUsage().arrayBuffers - memory;
  if (grown > BUFFER_BYTES_MAX) expect.fail(`took ${grown} bytes: ${told()}`);
}

describe.each(PARSERS)('$name', parser => {
  it('are read as they were written', async () => {
    const seeds = await parser.seeds();
    expect(seeds.length).toBeGreaterThan(0);
    for (const seed of seeds) await parser.parse(Uint8Array.from(seed));
  });

  it('are read or refused when they are damaged', { timeout: 120_000 }, async () => {
    const seeds = await parser.seeds();
    const chance = new Chance(SEED);
    for (let run = 0; run < parser.runs; run++) {
      const bytes = damaged(Uint8Array.from(seeds[run % seeds.length]!), chance);
      if (parser.reseal && run % 4 !== 0) parser.reseal(bytes);
      await hold(parser, bytes, `run ${run}`);
    }
  });

  it('are read or refused whatever they are', { timeout: 120_000 }, async () => {
    await parser.seeds();
    const chance = new Chance(SEED + 1);
    for (let run = 0; run < parser.runs / 2; run++) {
      await hold(parser, chance.bytes(chance.below(200)), `run ${run}`);
    }
  });
});

/** Files that look like parsers and are none, or read only what this process has written. */
const NO_PARSERS: Readonly<Record<string, string>> = {
  'plugins/os/sockstat.ts': 'reads the auxiliary vector that the kernel gives',
  'plugins/os/time-zone.ts': 'reads the time zone of the host',
  'src/encoding/bit-writer.ts': 'writes',
  'src/encoding/write-buffer.ts': 'writes',
  'src/encoding/crc32c.ts': 'any bytes have a checksum',
  'src/encoding/xxhash.ts': 'any bytes have a hash',
  'src/tools/tsdb/backfill/histogram-spill.ts': 'reads a scratch file of its own',
  'src/tools/tsdb/verify/verify-postings.ts': 'verify.test.ts damages every byte',
  'src/tsdb/index/series-spill.ts': 'reads a scratch file of its own',
};

const READS = [
  /\bReadBuffer\b|\bProtoReader\b|\bBitReader\b/,
  /\.get(Uint|Int|Float|Big)\w*\(/,
  /export (async )?function\*? (decode|read|parse|unfinished)\w*\(\s*\w+: Uint8Array/,
  /\bstatic decode\(/,
];

test('every file that reads bytes belongs to a parser', () => {
  const named = new Set(PARSERS.flatMap(({ files }) => files));
  const readers = ['src', 'agent', 'federation', 'plugins']
    .flatMap(folder =>
      readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' }).map(
        name => `${folder}/${name}`,
      ),
    )
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('/assembly/'))
    .filter(file => !file.includes('node_modules'))
    .filter(file => READS.some(pattern => pattern.test(readFileSync(`${ROOT}/${file}`, 'utf8'))));
  const missing = readers.filter(file => !named.has(file) && !(file in NO_PARSERS));
  expect(missing, 'add what they read to PARSERS in test/fuzz/parsers.ts').toEqual([]);
  const files = [...named, ...Object.keys(NO_PARSERS)];
  const gone = files.filter(
    file =>
      !readdirSync(`${ROOT}/${file.slice(0, file.lastIndexOf('/'))}`).includes(
        file.slice(file.lastIndexOf('/') + 1),
      ),
  );
  expect(gone, 'these do not exist any more').toEqual([]);
});
