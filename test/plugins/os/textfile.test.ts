// Metrics from files: what is taken of them, what is refused, and for how long.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newExporterBuild } from '../../../plugins/os/exporter-build.ts';
import { osPlugin } from '../../../plugins/os/plugin.ts';
import { parseText } from '../../../plugins/os/textfile-parser.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { parseExposed } from './exposed.ts';

const CORPUS = fileURLToPath(
  new URL('../../../../shared/corpora/node-exporter/textfile', import.meta.url),
);
const NOW = 1_700_000_000_000;

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'outpost-textfile-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string, ageSeconds = 10): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, NOW / 1000 - ageSeconds, NOW / 1000 - ageSeconds);
}

function hostOf(options: Readonly<Record<string, unknown>> = {}, clock = new ManualClock(NOW)) {
  const collectors = { textfile: { options: { directory: root, ...options } } };
  const only = ['textfile', 'loadavg'];
  return new FakeHost(osPlugin, { collectors, only, clock });
}

/** The samples of files and what the collector says of them. */
async function samples(host: FakeHost): Promise<string[]> {
  const lines = (await host.collect()).split('\n').filter(line => line !== '' && line[0] !== '#');
  return lines
    .filter(line => !/^node_(load|scrape_collector)/.test(line))
    .map(line => line.replaceAll(root, ''));
}

describe('textfile', () => {
  it('exposes files, their types and when they were written', async () => {
    write(
      'job.prom',
      '# HELP jobs_total Jobs\\nrun.\n# TYPE jobs_total counter\njobs_total{name="a \\"b\\""} 3\njobs_total 1e3\nplain -Inf\n',
    );
    write('ignored.txt', 'ignored 1\n');
    const host = hostOf();
    const text = await host.collect();
    expect(text).toContain(
      '# TYPE jobs_total counter\njobs_total 1000\njobs_total{name="a \\"b\\""} 3\n',
    );
    expect(text).toContain('# TYPE plain untyped\nplain -Inf\n');
    expect(text).not.toContain('ignored');
    expect(text).toContain('node_textfile_scrape_error 0\n');
    expect(text).toContain(`node_textfile_mtime_seconds{file="${root}/job.prom"} 1699999990\n`);
    host.close();
  });

  it('takes the lines that are right, tells that others are wrong, and sees a mended file', async () => {
    write('a.prom', 'good 1\nbad{x=1} 2\nworse\nalso_good 4\n');
    const host = hostOf();
    expect(await samples(host)).toEqual([
      'also_good 4',
      'good 1',
      'node_textfile_mtime_seconds{file="/a.prom"} 1699999990',
      'node_textfile_scrape_error 1',
    ]);
    write('a.prom', 'good 2\n', 5);
    expect(await samples(host)).toEqual([
      'good 2',
      'node_textfile_mtime_seconds{file="/a.prom"} 1699999995',
      'node_textfile_scrape_error 0',
    ]);
    rmSync(join(root, 'a.prom'));
    expect(await samples(host)).toEqual(['node_textfile_scrape_error 0']);
    host.close();
  });

  it('leaves out what is older than it may be, and still tells its time', async () => {
    write('a.prom', 'a 1\n', 50);
    const clock = new ManualClock(NOW);
    const host = hostOf({ maxAgeSeconds: 60 }, clock);
    expect(await samples(host)).toContain('a 1');
    clock.advance(20_000);
    expect(await samples(host)).toEqual([
      'node_textfile_mtime_seconds{file="/a.prom"} 1699999950',
      'node_textfile_scrape_error 0',
    ]);
    host.close();
  });

  it('leaves out files that are too large, files beyond the limit, and samples beyond theirs', async () => {
    write('a.prom', 'a 1\n');
    write('b.prom', `b 1\n${'#'.repeat(200)}\n`);
    expect(await samples(hostOf({ bytesMax: 100 }))).toEqual([
      'a 1',
      'node_textfile_mtime_seconds{file="/a.prom"} 1699999990',
      'node_textfile_scrape_error 1',
    ]);
    expect((await samples(hostOf({ filesMax: 1 }))).filter(line => /^[ab] /.test(line))).toEqual([
      'a 1',
    ]);
    const few = await samples(hostOf({ samplesMax: 1 }));
    expect(few.filter(line => /^[ab] |error/.test(line))).toEqual([
      'a 1',
      'node_textfile_scrape_error 1',
    ]);
  });

  it('never takes the name of a metric that another collector has, or two types for one name', async () => {
    write('a.prom', 'node_load1 99\n# TYPE x counter\nx 1\n');
    write('b.prom', '# TYPE x gauge\nx{b="1"} 2\n');
    const host = hostOf();
    const found = await samples(host);
    expect(found.filter(line => line.startsWith('x'))).toEqual(['x 1']);
    expect(found).toContain('node_textfile_scrape_error 1');
    expect(await host.collect()).not.toContain('node_load1 99');
    host.close();
  });

  it('finds directories by pattern, and tells one that is missing', async () => {
    write('one/text/a.prom', 'a 1\n');
    write('two/text/b.prom', 'b 1\n');
    const both = await samples(hostOf({ directory: join(root, '*/text') }));
    expect(both.filter(line => /^[ab] |error/.test(line))).toEqual([
      'a 1',
      'b 1',
      'node_textfile_scrape_error 0',
    ]);
    const missing = await samples(hostOf({ directory: `${root}/one/text, ${root}/three` }));
    expect(missing.filter(line => /^[ab] |error/.test(line))).toEqual([
      'a 1',
      'node_textfile_scrape_error 1',
    ]);
  });
});

describe.skipIf(!existsSync(CORPUS))(
  "over node_exporter's text files (skipped where ../shared/corpora/node-exporter is absent)",
  () => {
    // Upstream makes a sum and a count of 0 up for summaries that have none.
    const MADE_UP =
      /^prometheus_rule_evaluation_duration_seconds_(sum|count)\{handler="foo".* 0\n/gm;
    const cases = existsSync(CORPUS)
      ? readdirSync(CORPUS, { withFileTypes: true }).filter(entry => entry.isDirectory())
      : [];
    for (const { name } of cases) {
      it(`exposes the same for ${name}`, async () => {
        const host = hostOf({ directory: join(CORPUS, name) });
        const ours = parseExposed((await host.collect()).replaceAll(CORPUS, 'fixtures/textfile'));
        for (const family of ours.keys())
          if (/^node_(load|scrape_)/.test(family)) ours.delete(family);
        const text = readFileSync(join(CORPUS, `${name}.out`), 'utf8');
        const theirs = parseExposed(text.replace(MADE_UP, ''));
        // Times of files differ; both tell one for each file.
        for (const families of [ours, theirs]) {
          const times = families.get('node_textfile_mtime_seconds')?.samples ?? {};
          for (const file of Object.keys(times)) times[file] = 0;
        }
        expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
        host.close();
      });
    }
  },
);

describe('the text of a file', () => {
  it('names the first line that is wrong', () => {
    const parsed = parseText('a 1\n\n# a comment\nb{c="d",c="e"} 1\nc one\n');
    expect([parsed.wrong, parsed.problem]).toEqual([
      2,
      'line 4: labels are not as in {name="value"}',
    ]);
    expect(parseText('c one').problem).toBe('line 1: one is no number');
  });

  it('reads labels with every kind of quoting', () => {
    const [family] = parseText('m{a="x,}\\\\",b="l\\n\\"q\\"" , c="",} 0x10 5\n').families.values();
    expect(family!.samples).toEqual([
      {
        suffix: '',
        labels: [
          ['a', 'x,}\\'],
          ['b', 'l\n"q"'],
          ['c', ''],
        ],
        value: 16,
      },
    ]);
  });
});

describe('the version of the collectors', () => {
  it("is exposed under the name of node_exporter's", async () => {
    const plugin = definePlugin({
      name: 'os',
      version: '1',
      collectors: [newExporterBuild('1.2.3')],
    });
    const host = new FakeHost(plugin);
    expect(await host.collect()).toMatch(
      /node_exporter_build_info\{goarch="\w+",goos="linux",version="outpost-1\.2\.3"\} 1/,
    );
    host.close();
  });
});
