// Real promtool opens the blocks we write and finds in them what we put there.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Labels } from '../../src/labels/labels.ts';
import { Matcher } from '../../src/labels/matcher.ts';
import { Block } from '../../src/tsdb/block/block.ts';
import { compactBlocks } from '../../src/tsdb/compact/compactor.ts';
import { type StoredSeries, stored, T0 } from '../acceptance/querier.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { ulids, writeTestBlock } from '../fakes/test-blocks.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;
const missing = installed ? '' : ' (skipped: promtool is not installed)';

function promtool(...args: string[]): string {
  const run = spawnSync('promtool', ['tsdb', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  expect({ args, status: run.status, stderr: run.stderr }).toEqual({
    args,
    status: 0,
    stderr: '',
  });
  return run.stdout;
}

/** A data directory as promtool wants it: with a log, even if an empty one. */
function dataDirectory(): string {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, 'wal'));
  return dir;
}

/** promtool's dump lines: `{labels} value time`. */
function dumpLines({ labels, times, values }: StoredSeries): string[] {
  const inner = [...Labels.fromObject(labels)].map(([n, v]) => `${n}=${JSON.stringify(v)}`);
  return times.map((time, i) => `{${inner.join(', ')}} ${goFloat(values[i]!)} ${time}`);
}

/** Shortest form, with the exponent's two digits as Go has them. */
function goFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text =
    value >= 1e21 || (value !== 0 && Math.abs(value) < 1e-4)
      ? value.toExponential()
      : String(value);
  return text
    .replace(/^(-?)Infinity$/, (_, sign) => `${sign || '+'}Inf`)
    .replace(/e([+-])(\d)$/, 'e$10$2');
}

// In label order.
const SERIES: readonly StoredSeries[] = [
  ...Array.from({ length: 70 }, (_, i) =>
    stored(
      { __name__: 'node_cpu_seconds_total', cpu: String(i + 10), mode: i % 2 ? 'idle' : 'user' },
      Array.from({ length: 250 }, (_, j) => i * 100 + j * 0.25),
    ),
  ),
  stored({ __name__: 'odd' }, [Infinity, -Infinity, -0, 0.1, 1e-7, 123456]),
  stored({ __name__: 'up', host: '\uffee' }, [1, 0]),
  stored({ __name__: 'up', host: '\u{1f600}' }, [1, 0]),
];

describe.skipIf(!installed)(`promtool tsdb${missing}`, () => {
  it('dumps exactly what was written', async () => {
    const dir = dataDirectory();
    await writeTestBlock(dir, SERIES);
    const dumped = promtool('dump', dir).trimEnd().split('\n');
    expect(dumped).toEqual(SERIES.flatMap(dumpLines));
    const one = promtool('dump', '--match={mode="idle",cpu=~"11|13"}', dir).trimEnd().split('\n');
    expect(one).toEqual([SERIES[1]!, SERIES[3]!].flatMap(dumpLines));
  });

  it('lists and analyses blocks', async () => {
    const dir = dataDirectory();
    const path = await writeTestBlock(dir, SERIES, { minTime: T0, maxTime: T0 + 7_200_000 });
    const list = promtool('list', dir);
    const [, row] = list.trimEnd().split('\n');
    const samples = SERIES.reduce((sum, series) => sum + series.times.length, 0);
    const chunks = SERIES.reduce((sum, series) => sum + Math.ceil(series.times.length / 120), 0);
    expect(row!.split(/\s+/).slice(0, 7)).toEqual([
      basename(path),
      String(T0),
      String(T0 + 7_200_000),
      '2h0m0s',
      String(samples),
      String(chunks),
      '73',
    ]);
    const analysis = promtool('analyze', dir);
    expect(analysis).toContain('Series: 73');
    expect(analysis).toContain('Label names: 4');
    expect(analysis).toContain('Postings (unique label pairs): 77');
  });

  it('sees deletions and compacted blocks as we do', async () => {
    const dir = dataDirectory();
    const early = await writeTestBlock(dir, SERIES);
    const late = await writeTestBlock(
      dir,
      SERIES.map(({ labels, times, values }) => ({
        labels,
        times: times.map(time => time + 7_200_000),
        values,
      })),
    );
    const block = await Block.open(late);
    const idle = [new Matcher('=', 'mode', 'idle')];
    expect(await block.delete(0, T0 + 7_200_000 + 15_000 * 10, idle)).toBe(35);
    await block.close();
    const dumped = promtool('dump', dir);
    const merged = dataDirectory();
    const meta = await compactBlocks([early, late], merged, { ulid: ulids.next() });
    expect(promtool('dump', merged)).toBe(dumped);
    expect(meta!.stats.numSamples).toBe(dumped.trimEnd().split('\n').length);
    expect(promtool('list', merged)).toContain(meta!.ulid);
  });
});
