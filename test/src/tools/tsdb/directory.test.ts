// Listing, dumping and analysing a directory: blocks and log, in use or not.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Labels } from '../../../../src/labels/labels.ts';
import { Matcher } from '../../../../src/labels/matcher.ts';
import { analyze, formatAnalysis } from '../../../../src/tools/tsdb/analyze.ts';
import { formatBlocks, listBlocks } from '../../../../src/tools/tsdb/block-list.ts';
import { ReadOnlyDatabase } from '../../../../src/tools/tsdb/read-only-database.ts';
import { blockFacts, headFacts } from '../../../../src/tools/tsdb/series-facts.ts';
import {
  jsonFormat,
  openMetricsFormat,
  seriesJsonFormat,
} from '../../../../src/tools/tsdb/series-lines.ts';
import { stored } from '../../../acceptance/querier.ts';
import { corpusFolder } from '../../../fakes/corpora.ts';
import { dumped } from '../../../fakes/directory-tools.ts';
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts';
import { writeTestBlock } from '../../../fakes/test-blocks.ts';
import { BLOCK_START, HOUR, openTestDb, put } from '../../../fakes/test-db.ts';
import { toolContext } from '../../../fakes/tool-context.ts';

const MINUTE = 60_000;

function everyMinute(values: readonly number[]): [number, number][] {
  return values.map((value, i) => [i * MINUTE, value]);
}

/** A directory with these series in the log alone. */
async function logged(
  series: readonly (readonly [Record<string, string>, readonly number[]])[],
): Promise<string> {
  const dir = temporaryDirectory();
  const db = await openTestDb(dir);
  for (const [labels, values] of series) await put(db, labels, everyMinute(values));
  await db.close();
  return dir;
}

/** All files of a directory with their sizes and times of change. */
function fingerprint(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`)
    .sort();
}

describe('a directory whose samples are in the log alone', () => {
  const labels = { __name__: 'up', job: 'x' };

  it('is listed as head', async () => {
    const dir = await logged([[labels, [1, 0, 1]]]);
    const { rows } = await listBlocks(dir, toolContext().clock);
    expect(rows).toMatchObject([
      { name: 'head (wal)', minTime: 0, maxTime: 2 * MINUTE + 1, samples: 3, chunks: 1, series: 1 },
    ]);
  });

  it('is analysed', async () => {
    const dir = await logged([
      [labels, [1, 0, 1]],
      [{ ...labels, job: 'yy' }, [1]],
    ]);
    const context = toolContext();
    const { logged: found } = await ReadOnlyDatabase.open(dir, context.clock);
    const analysis = await analyze(headFacts(found!.head, 'head'), {
      ...context,
      matchers: [],
      chunks: true,
      progress: () => {},
    });
    expect(analysis).toMatchObject({ series: 2, labelNames: 2, pairs: 3, pairEntries: 4 });
    expect(analysis.fill).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('is read while a process has it, and stays as it is', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    await put(db, labels, everyMinute([1, 2]));
    await db.sync();
    const before = fingerprint(dir);
    expect((await dumped(dir)).text).toBe(
      '{__name__="up", job="x"} 1 0\n{__name__="up", job="x"} 2 60000\n',
    );
    expect(fingerprint(dir)).toEqual(before);
    await put(db, labels, [[3 * MINUTE, 3]]);
    expect((await dumped(dir)).report.samples).toBe(3);
    await db.close();
  });

  it('is read past damage, which stays where it is', async () => {
    const dir = await logged([[labels, [1, 2, 3]]]);
    const [segment] = readdirSync(join(dir, 'wal')).map(name => join(dir, 'wal', name));
    const { appendFileSync } = await import('node:fs');
    appendFileSync(segment!, Buffer.from([1, 0xff, 0xff, 1, 2, 3, 4, 5]));
    const before = fingerprint(dir);
    expect((await dumped(dir)).report.samples).toBe(3);
    expect(fingerprint(dir)).toEqual(before);
  });
});

describe('a dump', () => {
  it('joins blocks and log in label order and time order', async () => {
    const dir = temporaryDirectory();
    await writeTestBlock(dir, [stored({ __name__: 'b' }, [1, 2]), stored({ __name__: 'c' }, [5])]);
    const db = await openTestDb(dir);
    const later = BLOCK_START + 20 * HOUR;
    await put(db, { __name__: 'b' }, [[later, 3]]);
    await put(db, { __name__: 'a' }, [[later, 4]]);
    await db.close();
    const lines = (await dumped(dir)).text.trimEnd().split('\n');
    expect(lines.map(line => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '{__name__="a"} 4',
      '{__name__="b"} 1',
      '{__name__="b"} 2',
      '{__name__="b"} 3',
      '{__name__="c"} 5',
    ]);
  });

  it('prints names beyond the old characters in quotes, and staleness markers as NaN', async () => {
    const dir = temporaryDirectory();
    const db = await openTestDb(dir);
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'my.metric', 'a.b': 'x"y' }));
    appender.append(ref, 1000, 1.5);
    appender.appendStale(ref, 2000);
    await appender.commit();
    await db.close();
    expect((await dumped(dir)).text).toBe(
      '{__name__="my.metric", "a.b"="x\\"y"} 1.5 1000\n' +
        '{__name__="my.metric", "a.b"="x\\"y"} NaN 2000\n',
    );
    expect((await dumped(dir, { format: openMetricsFormat })).text).toBe(
      '{"my.metric","a.b"="x\\"y"} 1.5 1.000\n{"my.metric","a.b"="x\\"y"} NaN 2.000\n# EOF\n',
    );
    expect((await dumped(dir, { format: jsonFormat })).text).toBe(
      '{"labels":{"__name__":"my.metric","a.b":"x\\"y"},"samples":[[1000,"1.5"],[2000,"stale"]]}\n',
    );
  });

  it('ends with its signal', async () => {
    const dir = await logged([[{ __name__: 'a' }, [1]]]);
    const signal = AbortSignal.abort(new DOMException('stopped', 'AbortError'));
    await expect(dumped(dir, { signal })).rejects.toThrow('stopped');
  });
});

const corpus = corpusFolder('promtool');
const missing = corpus ? '' : ' (skipped: the promtool corpus is not on this machine)';

describe.skipIf(!corpus)(`promtool's expected outputs${missing}`, () => {
  const expected = (name: string): string => readFileSync(join(corpus!, name), 'utf8');
  const heavy = [5, 4, 3, 2, 1];
  const series = [
    [{ __name__: 'metric', foo: 'bar', baz: 'abc' }, [1, 2, 3, 4, 5]],
    [{ __name__: 'heavy_metric', foo: 'bar' }, heavy],
    [{ __name__: 'heavy_metric', foo: 'foo' }, heavy],
  ] as const;
  const foo = [new Matcher('=', 'foo', 'foo')];
  const metric = [new Matcher('=', '__name__', 'metric')];

  it('dumps everything, by selectors, and by time', async () => {
    const dir = await logged(series);
    expect((await dumped(dir)).text).toBe(expected('dump-test-1.prom'));
    const some = await dumped(dir, { selectors: [foo, metric] });
    expect(some.text).toBe(expected('dump-test-2.prom'));
    const range = { minTime: MINUTE, maxTime: 2 * MINUTE };
    const short = await dumped(dir, { selectors: [metric], ...range });
    expect(short.text).toBe(expected('dump-test-3.prom'));
  });

  it('dumps label sets', async () => {
    const dir = await logged(series);
    const format = seriesJsonFormat;
    expect((await dumped(dir, { format })).text).toBe(expected('dump-series-1.prom'));
    const two = await dumped(dir, { format, selectors: [foo, metric] });
    expect(two.text).toBe(expected('dump-series-2.prom'));
    const one = await dumped(dir, { format, selectors: [metric] });
    expect(one.text).toBe(expected('dump-series-3.prom'));
  });

  it('dumps OpenMetrics', async () => {
    const dir = await logged([
      [{ __name__: 'my_gauge', bar: 'foo', abc: 'baz' }, [9, 8, 0, 4, 7]],
      [{ __name__: 'my_counter', foo: 'bar', baz: 'abc' }, [1, 2, 3, 4, 5]],
    ]);
    const { text } = await dumped(dir, { format: openMetricsFormat });
    expect(text).toBe(expected('dump-openmetrics-test.prom'));
  });
});

describe('a list', () => {
  it('has columns as wide as their widest cell', () => {
    const row = { samples: 4, chunks: 3, series: 2, bytes: 1234, minTime: 0, maxTime: 7_200_000 };
    expect(formatBlocks([{ name: '01M7Z03CXKGS910JW55H89AVTY', ...row }], false)).toBe(
      'BLOCK ULID                  MIN TIME     MAX TIME     DURATION     NUM SAMPLES  NUM CHUNKS   NUM SERIES   SIZE\n' +
        '01M7Z03CXKGS910JW55H89AVTY  0            7200000      2h0m0s       4            3            2            1234\n',
    );
  });

  it('shows what it can where a block is damaged, and says what it cannot', async () => {
    const dir = temporaryDirectory();
    const good = await writeTestBlock(dir, [stored({ __name__: 'a' }, [1, 2])]);
    const bad = await writeTestBlock(dir, [stored({ __name__: 'a' }, [1])]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(bad, 'meta.json'), '{');
    const { rows, unreadable } = await listBlocks(dir, toolContext().clock);
    expect(rows.map(row => [row.name, row.samples])).toEqual([[good.slice(-26), 2]]);
    expect(unreadable).toEqual([`block meta is not JSON: ${bad}/meta.json`]);
  });

  it('needs a directory', async () => {
    await expect(listBlocks('/nowhere', toolContext().clock)).rejects.toThrow(
      'open data directory: there is none at /nowhere',
    );
  });
});

describe('an analysis of a block', () => {
  it('ranks what there is most of, the first in the alphabet among equals', async () => {
    const dir = temporaryDirectory();
    const path = await writeTestBlock(
      dir,
      [
        stored({ __name__: 'a', host: 'one' }, new Array(130).fill(1)),
        stored({ __name__: 'a', host: 'three' }, [1, 2]),
        stored({ __name__: 'b' }, [1, 2]),
      ],
      { minTime: 0, maxTime: 2_000_000_000_000 },
    );
    const options = { ...toolContext(), matchers: [], chunks: true, progress: () => {} };
    const analysis = await analyze(await blockFacts(path), options);
    const text = formatAnalysis({ ...analysis, name: 'B', durationMs: 7_200_000 }, 2);
    expect(text).toBe(`Block ID: B
Duration: 2h0m0s
Series: 3
Label names: 2
Postings (unique label pairs): 4
Postings entries (total label pairs): 5

Label pairs most involved in churning:
1 __name__=a
0 __name__=b

Label names most involved in churning:
2 __name__
1 host

Most common label pairs:
2 __name__=a
1 __name__=b

Label names with highest cumulative label value length:
8 host
2 __name__

Highest cardinality labels:
2 __name__
2 host

Highest cardinality metric names:
2 a
1 b

Compaction analysis:
Fullness: Amount of samples in chunks (100% is 120 samples)
     10%: ###########################################################################
     20%: 
     30%: 
     40%: 
     50%: 
     60%: 
     70%: 
     80%: 
     90%: 
    100%: #########################
`);
    const one = await analyze(await blockFacts(path), {
      ...options,
      matchers: [new Matcher('=', 'host', 'one')],
      chunks: false,
    });
    expect([one.series, one.pairs, one.fill]).toEqual([1, 2, null]);
  });
});
