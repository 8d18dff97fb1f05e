// Blocks from OpenMetrics text.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../src/lifecycle/clock.ts';
import { Backfill, blockRange } from '../../../../src/tools/tsdb/backfill/backfill.ts';
import { readOpenMetrics } from '../../../../src/tools/tsdb/backfill/openmetrics-input.ts';
import { Refusals } from '../../../../src/tools/tsdb/backfill/refusals.ts';
import { verifyDirectory } from '../../../../src/tools/tsdb/verify/verify-directory.ts';
import { corpusFolder } from '../../../fakes/corpora.ts';
import { backfilled, openMetricsOf } from '../../../fakes/directory-tools.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

async function errorsIn(dir: string): Promise<readonly string[]> {
  const { findings } = await verifyDirectory(dir, toolContext());
  return findings.kept.map(({ text }) => text);
}

const SECOND = BLOCK_START / 1000;

describe('blocks from OpenMetrics', () => {
  it('cover aligned ranges and say exactly which times they hold', async () => {
    const dir = temporaryDirectory();
    const { report } = await backfilled(
      dir,
      `# TYPE a counter
a_total{x="1"} 1 ${SECOND}
a_total{x="1"} 2 ${SECOND + 7199.999}
a_total{x="1"} 3 ${SECOND + 7200}
b 4 ${SECOND - 0.001}
# EOF
`,
    );
    expect(report.blocks.map(({ minTime, maxTime, stats }) => [minTime, maxTime, stats])).toEqual([
      [BLOCK_START - 1, BLOCK_START, expect.objectContaining({ numSamples: 1, numSeries: 1 })],
      [BLOCK_START, BLOCK_START + 7_200_000, expect.objectContaining({ numSamples: 2 })],
      [
        BLOCK_START + 7_200_000,
        BLOCK_START + 7_200_001,
        expect.objectContaining({ numSamples: 1 }),
      ],
    ]);
    expect(readdirSync(dir).sort()).toEqual(report.blocks.map(({ ulid }) => ulid).sort());
    expect(await errorsIn(dir)).toEqual([]);
  });

  it('may be longer, by the ranges compaction uses', async () => {
    expect([2, 5, 6, 17, 18, 54, 24 * 31].map(hours => blockRange(hours * HOUR) / HOUR)).toEqual([
      2, 2, 6, 6, 18, 54, 486,
    ]);
    const dir = temporaryDirectory();
    const start = Math.floor(SECOND / (18 * 3600)) * 18 * 3600;
    const text = `a 1 ${start}\na 2 ${start + 6 * 3600}\na 3 ${start + 17 * 3600}\n# EOF\n`;
    const { report } = await backfilled(dir, text, { blockRangeMaxMs: 24 * HOUR });
    expect(report.blocks.map(block => block.stats.numSamples)).toEqual([3]);
    await expect(backfilled(dir, text, { blockRangeMaxMs: HOUR })).rejects.toThrow('below 2h');
  });

  it('are the same in any order of lines, however little is held in memory', async () => {
    const lines: string[] = [];
    for (let series = 0; series < 7; series++) {
      for (let i = 0; i < 300; i++) {
        lines.push(`m{s="${series}"} ${series * 1000 + i} ${SECOND + i * 60}.000`);
      }
    }
    const sorted = `${lines.join('\n')}\n# EOF\n`;
    const mixed = lines.map((_, i) => lines[(i * 1009) % lines.length]!);
    const dir = temporaryDirectory();
    const { report } = await backfilled(dir, `${mixed.join('\n')}\n# EOF\n`, {
      bufferSamples: 100,
      samplesAtOnce: 50,
      bytesAtOnce: 333,
    });
    expect([report.samples, report.series, report.blocks.length]).toEqual([2100, 7, 3]);
    expect(await openMetricsOf(dir)).toBe(sorted);
    expect(await errorsIn(dir)).toEqual([]);
  });

  it('keep the first of two samples of one time, and tell', async () => {
    const dir = temporaryDirectory();
    const { report } = await backfilled(dir, 'a 1 9\na 2 8\na 1 9\na 3 9\na 4 9\n# EOF\n');
    expect(report).toMatchObject({ duplicates: 1, conflicts: 2, example: { time: 9000 } });
    expect(await openMetricsOf(dir)).toBe('a{} 2 8.000\na{} 1 9.000\n# EOF\n');
  });

  it('name each line they cannot take', async () => {
    const dir = temporaryDirectory();
    const lines = [
      'fine{a="b"} 1 1',
      'fine{a="b"} 2',
      'fine{a="b} 3 3',
      'fine{a="b"} x 4',
      '{a="b"} 1 5',
      'composite {count:1,sum:2} 6',
      'composite{a="b"} {count:1,sum:2} 7',
      'fine{a="b"} 1 99999999999999',
      '',
      'twice{a="1",a="2"} 1 10',
      'fine{a="b"} 11 11 # {trace_id="x"} 0.5 11',
      '# EOF',
    ];
    const { refused, exemplars } = await backfilled(dir, lines.join('\n'), { bytesAtOnce: 7 });
    expect(refused).toEqual([
      { line: 2, reason: 'a sample without a time: each line needs a timestamp in seconds' },
      { line: 3, reason: 'a quoted string without its closing quote' },
      { line: 4, reason: 'value "x" is not a number' },
      { line: 5, reason: 'a sample without a metric name' },
      {
        line: 6,
        reason: 'a histogram value in braces: blocks are made from float samples only',
      },
      {
        line: 7,
        reason: 'a histogram value in braces: blocks are made from float samples only',
      },
      { line: 8, reason: 'time 99999999999999000 ms lies beyond the year 9999' },
      { line: 10, reason: 'label "a" occurs twice' },
    ]);
    expect(exemplars).toBe(1);
    expect(await openMetricsOf(dir)).toBe('fine{a="b"} 1 1.000\nfine{a="b"} 11 11.000\n# EOF\n');
  });

  it('name lines that are not UTF-8', async () => {
    const bad = Buffer.concat([
      Buffer.from('a 1 1\nb{x="'),
      Buffer.from([0xff]),
      Buffer.from('"} 1 1\nc 1 1\n# EOF\n'),
    ]);
    const backfill = await Backfill.open(temporaryDirectory(), {
      ...toolContext(),
      blockRangeMaxMs: 2 * HOUR,
    });
    const refusals = new Refusals();
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bad;
    }
    await readOpenMetrics(source(), backfill, { refusals, staleNan: false, onBytes: () => {} });
    expect(refusals.examples).toEqual([{ line: 2, reason: 'the line is not valid UTF-8' }]);
    expect(backfill.samples).toBe(2);
    await backfill.discard();
  });

  it('need the end mark, and leave nothing behind without it', async () => {
    const dir = temporaryDirectory();
    await expect(backfilled(dir, 'a 1 1\n')).rejects.toThrow('ends without # EOF');
    await expect(backfilled(dir, 'a 1 1\n# EOF\nb 1 1\n')).rejects.toThrow('text after # EOF');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('leave nothing behind when they are interrupted', async () => {
    const dir = temporaryDirectory();
    const stop = new AbortController();
    const backfill = await Backfill.open(dir, {
      ...toolContext(),
      signal: stop.signal,
      blockRangeMaxMs: 2 * HOUR,
    });
    const series = backfill.registry.spelled('none');
    expect(series).toBe(-1);
    stop.abort(new DOMException('stopped', 'AbortError'));
    await expect(backfill.drain()).rejects.toThrow('stopped');
    await backfill.discard();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('can read NaN as the staleness marker that a dump had to write so', async () => {
    const dir = temporaryDirectory();
    await backfilled(dir, 'a 1 1\na NaN 2\n# EOF\n', { staleNan: true });
    const db = await openTestDb(dir);
    expect(await contents(db)).toEqual(new Map([['a', ['1000:1', '2000:stale']]]));
    await db.close();
    const plain = temporaryDirectory();
    await backfilled(plain, 'a NaN 2\n# EOF\n');
    const other = await openTestDb(plain);
    expect(await contents(other)).toEqual(new Map([['a', ['2000:NaN']]]));
    await other.close();
  });

  it('appear in an open database within a minute', async () => {
    const dir = temporaryDirectory();
    const clock = new ManualClock(BLOCK_START + 24 * HOUR);
    const db = await openTestDb(dir, { clock });
    const { report } = await backfilled(dir, `old 1 ${SECOND}\n# EOF\n`);
    expect(report.blocks).toHaveLength(1);
    await db.maintain();
    expect(db.blocks).toEqual([]);
    clock.advance(60_000);
    await db.maintain();
    expect(db.blocks.map(block => block.meta.ulid)).toEqual([report.blocks[0]!.ulid]);
    expect(await contents(db)).toEqual(new Map([['old', [`${BLOCK_START}:1`]]]));
    await db.close();
  });

  it('hide nothing of the log when the directory is opened again', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const start = BLOCK_START + 22 * HOUR;
    const live = { __name__: 'live' };
    await put(db, live, [
      [start, 1],
      [start + 1000, 2],
    ]);
    await db.close();
    const text = `live 1.5 ${start / 1000 + 0.5}\nother 3 ${start / 1000 + 2}\n# EOF\n`;
    await backfilled(dir, text);
    const again = await openTestDb(dir);
    expect((await contents(again)).get('live')).toEqual([
      `${start}:1`,
      `${start + 500}:1.5`,
      `${start + 1000}:2`,
    ]);
    await again.close();
    expect(await openMetricsOf(dir)).toContain('live{} 1.5 ');
  });

  it('go into a directory that is not there yet', async () => {
    const dir = join(temporaryDirectory(), 'new', 'data');
    await backfilled(dir, 'a 1 1\n# EOF\n');
    expect(readdirSync(dir)).toHaveLength(1);
  });

  it('are none where there are no samples', async () => {
    const dir = temporaryDirectory();
    const { report } = await backfilled(dir, '# EOF\n');
    expect(report.blocks).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });
});

const promtool = corpusFolder('promtool');
const noPromtool = promtool ? '' : ' (skipped: the promtool corpus is not on this machine)';

describe.skipIf(!promtool)(`promtool's round trip${noPromtool}`, () => {
  it('gives the same text again', async () => {
    const text = readFileSync(join(promtool!, 'dump-openmetrics-roundtrip-test.prom'), 'utf8');
    const dir = temporaryDirectory();
    await backfilled(dir, text);
    expect(await openMetricsOf(dir)).toBe(text);
  });
});

const cases = corpusFolder('openmetrics-parsers');
const noCases = cases ? '' : ' (skipped: the OpenMetrics corpus is not on this machine)';

describe.skipIf(!cases)(`well-formed OpenMetrics texts${noCases}`, () => {
  const good = cases ? readdirSync(cases).filter(name => !/^bad_|^README/.test(name)) : [];

  it.each(good)('%s: only samples without a usable time are refused', async name => {
    const file = join(cases!, name, 'metrics');
    if (!existsSync(file)) throw new Error(`no such case: ${name}`);
    const dir = temporaryDirectory();
    mkdirSync(dir, { recursive: true });
    const { refused } = await backfilled(dir, readFileSync(file, 'utf8'));
    const legal = /^a sample without a time|beyond the year 9999$/;
    expect(refused.filter(({ reason }) => !legal.test(reason))).toEqual([]);
    expect(await errorsIn(dir)).toEqual([]);
  });
});
