// Our tools beside promtool, over the same directories: the same texts, and each reads the other's blocks.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSelector } from '../../src/promql/parser.ts';
import { analyze, formatAnalysis } from '../../src/tools/tsdb/analyze.ts';
import { formatBlocks, listBlocks } from '../../src/tools/tsdb/block-list.ts';
import { blockFacts } from '../../src/tools/tsdb/series-facts.ts';
import { verifyDirectory } from '../../src/tools/tsdb/verify/verify-directory.ts';
import { backfilled, dumped, openMetricsOf } from '../fakes/directory-tools.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { BLOCK_START, openTestDb, put } from '../fakes/test-db.ts';
import { toolContext } from '../fakes/tool-context.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;
const missing = installed ? '' : ' (skipped: promtool is not installed)';
const SECOND = BLOCK_START / 1000;
const DEADLINE_MS = 120_000;

function promtool(...args: string[]): string {
  const run = spawnSync('promtool', ['tsdb', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  expect({ args, status: run.status }).toEqual({ args, status: 0 });
  return run.stdout;
}

/** Two hours and a half of some series with odd values and labels. Promtool drops what is out of order. */
function openMetrics(): string {
  const lines: string[] = [];
  for (let i = 0; i < 600; i++) {
    for (let series = 0; series < 5; series++) {
      const labels = `host="h${series}",path="a\\\\b\\"c\\n${series}"`;
      lines.push(`requests_total{${labels}} ${i * series * 1.25} ${SECOND + i * 15}.25`);
    }
  }
  const odd = ['-0', '1e-7', '123456789', 'NaN', '+Inf', '-Inf', '1e300', '0.1'];
  odd.forEach((value, i) => {
    lines.push(`odd{unicode="é世\u{1f600}"} ${value} ${SECOND + i}`);
  });
  return `# HELP requests_total x\n# TYPE requests counter\n${lines.join('\n')}\n# EOF\n`;
}

async function listed(dir: string, humanReadable = false): Promise<string> {
  return formatBlocks((await listBlocks(dir, toolContext().clock)).rows, humanReadable);
}

/** The rows of a list without id, number of chunks and size, which differ. */
function rows(list: string): string[][] {
  const cells = list.split('\n').map(line => line.split(/ {2,}/));
  return cells.map(([, min, max, duration, samples, , series]) =>
    [min, max, duration, samples, series].map(String),
  );
}

/** Equal counts have no order in promtool's rankings. */
function sortedRankings(analysis: string): string[] {
  return analysis.split('\n\n').map(part => part.split('\n').sort().join('\n'));
}

describe.skipIf(!installed)(`promtool and our tools${missing}`, { timeout: DEADLINE_MS }, () => {
  const dir = temporaryDirectory();
  const [theirs, own] = [join(dir, 'theirs'), join(dir, 'own')];

  beforeAll(async () => {
    const file = join(dir, 'input.om');
    writeFileSync(file, openMetrics());
    promtool('create-blocks-from', 'openmetrics', file, theirs);
    await backfilled(own, openMetrics());
    for (const made of [theirs, own]) mkdirSync(join(made, 'wal'));
  }, DEADLINE_MS);

  it('make equal blocks of one text, and print them equally', async () => {
    const text = promtool('dump', theirs);
    expect(text.split('\n').length).toBe(3009);
    expect(promtool('dump', own)).toBe(text);
    expect((await dumped(theirs)).text).toBe(text);
    expect((await dumped(own)).text).toBe(text);
  });

  it('print the same selections', async () => {
    const match = `{host=~"h[0-3]",host!="h2"}`;
    const some = promtool('dump', `--match=${match}`, theirs);
    expect(some.split('\n').length).toBe(1801);
    expect((await dumped(theirs, { selectors: [parseSelector(match).matchers] })).text).toBe(some);
    const [minTime, maxTime] = [BLOCK_START + 60_000, BLOCK_START + 90_000];
    const short = promtool('dump', `--min-time=${minTime}`, `--max-time=${maxTime}`, own);
    expect(short.split('\n').length).toBe(11);
    expect((await dumped(own, { minTime, maxTime })).text).toBe(short);
  });

  it('list the same blocks the same way', async () => {
    expect(await listed(theirs)).toBe(promtool('list', theirs));
    expect(await listed(theirs, true)).toBe(promtool('list', '-r', theirs));
    expect(await listed(own)).toBe(promtool('list', own));
    expect(rows(await listed(own))).toEqual(rows(promtool('list', theirs)));
  });

  it('analyse the same', async () => {
    for (const made of [theirs, own]) {
      const [block] = readdirSync(made).filter(name => name.length === 26);
      const analysis = await analyze(await blockFacts(join(made, block!)), {
        ...toolContext(),
        matchers: [],
        chunks: true,
        progress: () => {},
      });
      const text = promtool('analyze', '--limit=1000', '--extended', made, block!);
      expect(sortedRankings(formatAnalysis(analysis, 1000))).toEqual(sortedRankings(text));
    }
  });

  it('find no fault with their blocks', async () => {
    for (const made of [theirs, own]) {
      const { findings, samples, blocks } = await verifyDirectory(made, toolContext());
      expect([findings.kept, blocks, samples]).toEqual([[], 2, 3008]);
    }
  });

  it('take each other’s OpenMetrics', async () => {
    const text = await openMetricsOf(own);
    const file = join(dir, 'again.om');
    writeFileSync(file, text);
    promtool('create-blocks-from', 'openmetrics', file, join(dir, 'again'));
    expect(await openMetricsOf(join(dir, 'again'))).toBe(text);
  });

  it('print the same of a directory whose samples are in the log alone', async () => {
    const logged = temporaryDirectory();
    const db = await openTestDb(logged);
    for (let host = 0; host < 3; host++) {
      const samples = Array.from({ length: 200 }, (_, i): [number, number] => [
        BLOCK_START + i * 15_000,
        i * host,
      ]);
      await put(db, { __name__: 'up', host: String(host) }, samples);
    }
    await db.sync();
    // Promtool needs the directory for itself; ours reads beside the process that has it.
    const { text } = await dumped(logged);
    await db.close();
    expect(text.split('\n').length).toBe(601);
    expect(promtool('dump', logged)).toBe(text);
  });
});
