// Blocks from recording rules, evaluated over HTTP and over a directory.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { parseRuleFile } from '../../../../src/rules/rule-file.ts';
import type { FloatHistogram } from '../../../../src/storage/histogram.ts';
import { Backfill, type BackfillReport } from '../../../../src/tools/tsdb/backfill/backfill.ts';
import { rangeClient } from '../../../../src/tools/tsdb/backfill/range-client.ts';
import { rangeLocal } from '../../../../src/tools/tsdb/backfill/range-local.ts';
import {
  type EvaluateRange,
  type RulesOptions,
  type RulesReport,
  readRules,
} from '../../../../src/tools/tsdb/backfill/rules-input.ts';
import { ReadOnlyDatabase } from '../../../../src/tools/tsdb/read-only-database.ts';
import { verifyDirectory } from '../../../../src/tools/tsdb/verify/verify-directory.ts';
import type { Db } from '../../../../src/tsdb/db.ts';
import { newTestApi } from '../../../fakes/api.ts';
import { histogram } from '../../../fakes/prometheus-cases.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { BLOCK_START, contents, HOUR, openTestDb, put } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

const MINUTE = 60_000;
const { signal } = new AbortController();
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function database(): Promise<Db> {
  const db = await openTestDb(temporaryDirectory());
  closing.push(() => db.close());
  return db;
}

/** Evaluates over HTTP against a database. */
async function overHttp(db: Db): Promise<EvaluateRange> {
  const { api } = newTestApi(BLOCK_START + 24 * HOUR, { queryableFor: () => db });
  await api.listen({ host: '127.0.0.1', port: 0 });
  closing.push(() => api.close());
  const { port } = api.server.address() as AddressInfo;
  return rangeClient({ url: `http://127.0.0.1:${port}/`, headers: {}, signal });
}

interface Result {
  readonly dir: string;
  readonly told: RulesReport;
  readonly report: BackfillReport;
}

async function recorded(
  rules: string,
  evaluate: EvaluateRange,
  options: Partial<RulesOptions> = {},
): Promise<Result> {
  const dir = temporaryDirectory();
  const context = toolContext();
  const backfill = await Backfill.open(dir, { ...context, blockRangeMaxMs: 2 * HOUR });
  try {
    const told = await readRules(backfill, {
      groups: parseRuleFile(rules, 'r.yaml'),
      evaluate,
      minTime: BLOCK_START,
      maxTime: BLOCK_START + 5 * MINUTE,
      intervalMs: MINUTE,
      stretchMs: 2 * HOUR,
      progress: context.progress,
      ...options,
    });
    const report = await backfill.finish();
    expect((await verifyDirectory(dir, toolContext())).findings.kept).toEqual([]);
    return { dir, told, report };
  } finally {
    await backfill.discard();
  }
}

async function stored(dir: string): Promise<Record<string, string[]>> {
  const database = await ReadOnlyDatabase.open(dir, toolContext().clock);
  try {
    const found = await contents(database);
    return Object.fromEntries(
      [...found].map(([labels, texts]) => [labels, texts.map(text => relative(text))]),
    );
  } finally {
    await database.close();
  }
}

/** `1:2` for the value 2 one minute behind the block's start. */
function relative(text: string): string {
  const [time, value] = text.split(':');
  return `${(Number(time) - BLOCK_START) / MINUTE}:${value}`;
}

function group(rules: string, settings = ''): string {
  return `groups:\n  - name: g\n${settings}    rules:\n${rules}`;
}

describe.each([
  ['over HTTP', overHttp],
  ['over a directory', async (db: Db) => rangeLocal(db, { ...toolContext(), signal })],
] as const)('recording rules evaluated %s', (_, evaluatorOf) => {
  it('are stored by their names, with their labels before those of the answer', async () => {
    const db = await database();
    const minutes = Array.from({ length: 6 }, (__, i) => [BLOCK_START + i * MINUTE, i] as const);
    await put(db, { __name__: 'up', job: 'a', i: '1', gone: 'x' }, minutes);
    await put(db, { __name__: 'up', job: 'a', i: '2', gone: 'x' }, minutes);
    const rules = group(`
      - record: job:up:sum
        expr: sum by (job, gone) (up)
        labels: { team: t, job: renamed, gone: '' }
      - alert: Down
        expr: up == 0
      - record: constant
        expr: 7
`);
    const { dir, told, report } = await recorded(rules, await evaluatorOf(db));
    expect(await stored(dir)).toEqual({
      constant: ['0:7', '1:7', '2:7', '3:7', '4:7', '5:7'],
      'job:up:sum{job="renamed", team="t"}': ['0:0', '1:2', '2:4', '3:6', '4:8', '5:10'],
    });
    expect(told).toMatchObject({ recordingRules: 2, alertingRules: 1, staleMarkers: 0 });
    expect(report).toMatchObject({ samples: 12, series: 2, duplicates: 0 });
  });

  it('get a staleness marker where a series ends', async () => {
    const db = await database();
    const at = (minute: number): number => BLOCK_START + minute * MINUTE;
    await put(db, { __name__: 'm' }, [
      [at(0), 1],
      [at(1), 5],
      [at(2), 1],
      [at(4), 5],
      [at(5), 1],
    ]);
    const rules = group('      - { record: high, expr: m > 2 }\n');
    const evaluate = await evaluatorOf(db);
    const expected = ['1:5', '2:stale', '4:5', '5:stale'];
    for (const stretchMs of [MINUTE, 2 * MINUTE, 2 * HOUR]) {
      const { dir, told } = await recorded(rules, evaluate, { stretchMs });
      expect(await stored(dir), `stretches of ${stretchMs}`).toEqual({ high: expected });
      expect(told.staleMarkers).toBe(2);
    }
  });

  it('keep native histograms', async () => {
    const db = await database();
    const appender = db.appender();
    const all: FloatHistogram[] = [];
    const series = ['exponential', 'custom'].map(kind =>
      appender.series(Labels.fromObject({ __name__: 'h', kind })),
    );
    for (let i = 0; i < 6; i++) {
      const exponential = histogram({
        schema: 3,
        count: 17 + i,
        sum: 12.5,
        zeroThreshold: 0.001,
        zeroCount: 2,
        positiveSpans: [
          { offset: -3, length: 2 },
          { offset: 4, length: 1 },
        ],
        positiveBuckets: Float64Array.of(1, 2, 3 + i),
        negativeSpans: [{ offset: 2, length: 2 }],
        negativeBuckets: Float64Array.of(4, 5),
      });
      const custom = histogram({
        schema: -53,
        count: 6 + i,
        sum: 3,
        customValues: Float64Array.of(0.1, 0.5, 2),
        positiveSpans: [{ offset: 0, length: 4 }],
        positiveBuckets: Float64Array.of(1, 2, 3, i),
      });
      appender.appendHistogram(series[0]!, BLOCK_START + i * MINUTE, exponential);
      appender.appendHistogram(series[1]!, BLOCK_START + i * MINUTE, custom);
      all.push(exponential);
    }
    expect(await appender.commit()).toMatchObject({ stored: 12 });
    const rules = group('      - { record: r, expr: h }\n');
    const { dir } = await recorded(rules, await evaluatorOf(db));
    expect(await stored(dir)).toEqual({
      'r{kind="custom"}': ['0:h6', '1:h7', '2:h8', '3:h9', '4:h10', '5:h11'],
      'r{kind="exponential"}': ['0:h17', '1:h18', '2:h19', '3:h20', '4:h21', '5:h22'],
    });
    // Bucket by bucket: quantiles are the same as before.
    const engine = rangeLocal(db, { ...toolContext(), signal });
    const other = await ReadOnlyDatabase.open(dir, toolContext().clock);
    const again = rangeLocal(other, { ...toolContext(), signal });
    const range = { startMs: BLOCK_START, endMs: BLOCK_START + 5 * MINUTE, stepMs: MINUTE };
    for (const quantile of [0.05, 0.3, 0.5, 0.9, 1]) {
      const before = await engine(`histogram_quantile(${quantile}, h)`, range);
      const after = await again(`histogram_quantile(${quantile}, r)`, range);
      expect(before.series).toHaveLength(2);
      expect(after.series).toEqual(before.series);
    }
    await other.close();
  });

  it('are refused where the labels make one of several series', async () => {
    const db = await database();
    await put(db, { __name__: 'up', i: '1' }, [[BLOCK_START, 1]]);
    await put(db, { __name__: 'up', i: '2' }, [[BLOCK_START, 1]]);
    const rules = group('      - { record: r, expr: up, labels: { i: x } }\n');
    await expect(recorded(rules, await evaluatorOf(db))).rejects.toThrow(
      'store rule r: several series of the answer become r{i="x"}',
    );
  });

  it('that fail are named', async () => {
    const db = await database();
    await put(db, { __name__: 'up', i: '1' }, [[BLOCK_START, 1]]);
    await put(db, { __name__: 'up', i: '2' }, [[BLOCK_START, 1]]);
    const rules = group('      - { record: r, expr: up * ignoring(i) up }\n');
    await expect(recorded(rules, await evaluatorOf(db))).rejects.toThrow(
      /^evaluate rule r: .*many-to-many/,
    );
  });
});

describe('times of evaluation', () => {
  /** Answers 1 at every step and remembers what was asked. */
  function recorder(): { asked: number[][]; evaluate: EvaluateRange } {
    const asked: number[][] = [];
    return {
      asked,
      evaluate: async (_, { startMs, endMs, stepMs }) => {
        asked.push([startMs, endMs, stepMs]);
        const times = new Float64Array(Math.floor((endMs - startMs) / stepMs) + 1);
        for (let i = 0; i < times.length; i++) times[i] = startMs + i * stepMs;
        const values = new Float64Array(times.length).fill(1);
        const series = { labels: Labels.empty, times, values, histograms: null };
        return { series: [series], warnings: ['same every time'] };
      },
    };
  }

  it('are multiples of the interval from start to end, in stretches without a gap', async () => {
    const { asked, evaluate } = recorder();
    const { report, told } = await recorded(
      group('      - { record: r, expr: 1 }\n', '    interval: 7m\n'),
      evaluate,
      { minTime: BLOCK_START + 1, maxTime: BLOCK_START + 5 * HOUR, stretchMs: 2 * HOUR },
    );
    const step = 7 * MINUTE;
    const first = Math.ceil((BLOCK_START + 1) / step) * step;
    expect(asked[0]).toEqual([first, first + 16 * step, step]);
    for (let i = 1; i < asked.length; i++) expect(asked[i]![0]).toBe(asked[i - 1]![1]! + step);
    expect(BLOCK_START + 5 * HOUR - asked.at(-1)![1]!).toBeLessThan(step);
    expect(report.samples).toBe(asked.reduce((sum, [a, b]) => sum + (b! - a!) / step + 1, 0));
    expect(told.warnings).toEqual(['same every time']);
  });

  it('ask for no more steps than servers answer', async () => {
    const { asked, evaluate } = recorder();
    await recorded(group('      - { record: r, expr: 1 }\n', '    interval: 1s\n'), evaluate, {
      maxTime: BLOCK_START + 4 * HOUR,
      stretchMs: 54 * HOUR,
    });
    expect(asked.map(([start, end]) => (end! - start!) / 1000 + 1)).toEqual([10_000, 4401]);
  });

  it('may be none between start and end', async () => {
    const { asked, evaluate } = recorder();
    const range = { minTime: BLOCK_START + 1, maxTime: BLOCK_START + 2 };
    const { report } = await recorded(group('      - { record: r, expr: 1 }\n'), evaluate, range);
    expect([asked, report.blocks]).toEqual([[], []]);
  });
});

it('rules that read what others make are told', async () => {
  const rules = group(`
      - { record: a, expr: up }
      - { record: b, expr: sum(a) / count(a) + c }
`);
  const { told } = await recorded(rules, async () => ({ series: [], warnings: [] }));
  expect(told.dependencies).toEqual(['rule b reads a, which is made here and not seen yet']);
});

describe('a server that', () => {
  async function answering(status: number, body: string): Promise<EvaluateRange> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(async () => server.close());
    const { port } = server.address() as AddressInfo;
    return rangeClient({ url: `http://127.0.0.1:${port}/prefix`, headers: { a: 'b' }, signal });
  }
  const range = { startMs: 0, endMs: 1000, stepMs: 1000 };

  it.each([
    ['refuses', 422, '{"status":"error","error":"no such thing"}', 'status 422: no such thing'],
    ['is no Prometheus', 200, '<html>', 'status 200: <html>'],
    [
      'answers a vector',
      200,
      '{"status":"success","data":{"resultType":"vector","result":[]}}',
      'the answer is no matrix',
    ],
    [
      'answers a value that is none',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"x"]]}]}}',
      'a sample of {"a":"b"} cannot be read',
    ],
    [
      'answers a label that is none',
      200,
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":1}}]}}',
      'a label is no text',
    ],
  ])('%s is named with what it said', async (_, status, body, message) => {
    await expect((await answering(status, body))('up', range)).rejects.toThrow(message);
  });

  it('is not there is named', async () => {
    const client = rangeClient({ url: 'http://127.0.0.1:1', headers: {}, signal });
    await expect(client('up', range)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('http://127.0.0.1:1/api/v1/query_range'),
    });
  });

  it('warns is heard', async () => {
    const body =
      '{"status":"success","warnings":["one endpoint is away"],"data":{"resultType":"matrix","result":[]}}';
    expect(await (await answering(200, body))('up', range)).toEqual({
      series: [],
      warnings: ['one endpoint is away'],
    });
  });
});

it('blocks of rules appear in a database that is open', async () => {
  const dir = temporaryDirectory();
  const context = toolContext();
  const db = await openTestDb(dir, { clock: context.clock });
  await put(db, { __name__: 'up' }, [[BLOCK_START, 3]]);
  const backfill = await Backfill.open(dir, { ...context, blockRangeMaxMs: 2 * HOUR });
  await readRules(backfill, {
    groups: parseRuleFile(group('      - { record: r, expr: up }\n'), 'r.yaml'),
    evaluate: rangeLocal(db, { ...context, signal }),
    minTime: BLOCK_START,
    maxTime: BLOCK_START + MINUTE,
    intervalMs: MINUTE,
    stretchMs: 2 * HOUR,
    progress: context.progress,
  });
  await backfill.finish();
  context.clock.advance(60_000);
  await db.maintain();
  expect((await contents(db)).get('r')?.map(relative)).toEqual(['0:3', '1:3']);
  await db.close();
  expect(readdirSync(dir).filter(name => name.endsWith('.tmp'))).toEqual([]);
});

it('histograms of one series keep their order beside floats, however little is held in memory', async () => {
  const dir = temporaryDirectory();
  const context = toolContext();
  const options = { ...context, blockRangeMaxMs: 2 * HOUR, bufferSamples: 7, samplesAtOnce: 10 };
  const backfill = await Backfill.open(dir, options);
  const series = backfill.seriesOf(Labels.fromObject({ __name__: 'm' })) as number;
  const other = backfill.seriesOf(Labels.fromObject({ __name__: 'a' })) as number;
  const counted = (count: number): FloatHistogram =>
    histogram({
      count,
      integer: true,
      positiveSpans: [{ offset: 0, length: 1 }],
      positiveBuckets: Float64Array.of(count),
    });
  const add = async (
    to: number,
    minute: number,
    sample: number | FloatHistogram,
  ): Promise<void> => {
    if (backfill.full) await backfill.drain();
    const time = BLOCK_START + minute * MINUTE;
    if (typeof sample === 'number') expect(backfill.add(to, time, sample)).toBeNull();
    else expect(backfill.addHistogram(to, time, sample)).toBeNull();
  };
  for (let i = 0; i < 50; i++) {
    const minute = (i * 7) % 50;
    await add(other, minute, minute);
    await add(series, minute, minute % 3 === 0 ? minute : counted(minute));
  }
  await add(series, 1, counted(1));
  await add(series, 1, counted(2));
  expect(backfill.addHistogram(series, BLOCK_START, { ...counted(1), count: -1 })).toBe(
    'its count is -1',
  );
  expect(await backfill.finish()).toMatchObject({ duplicates: 1, conflicts: 1, samples: 102 });
  const texts = Array.from({ length: 50 }, (_, i) => `${i}:${i % 3 === 0 ? '' : 'h'}${i}`);
  expect((await stored(dir))['m']).toEqual(texts);
  expect((await verifyDirectory(dir, toolContext())).findings.kept).toEqual([]);
});
