// The tools as processes: exit codes, what goes to which stream, pipes, and bounded memory.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { TOOL_MAIN, tsdbTool } from '../fakes/tool-process.ts';

const START = 1_700_000_000;

function* bigText(series: number, samples: number): Generator<string> {
  for (let s = 0; s < series; s++) {
    let text = '';
    for (let i = 0; i < samples; i++) {
      text += `requests_total{host="h${s}",path="/api"} ${i * s} ${START + i * 15}\n`;
    }
    yield text;
  }
  yield '# EOF\n';
}

describe('outpost tools tsdb', { timeout: 120_000 }, () => {
  it('carries data from a pipe through blocks, dump and back', () => {
    const dir = temporaryDirectory();
    const text = [...bigText(3, 100)].join('');
    const made = tsdbTool(['create-blocks-from', 'openmetrics', '-', dir], text);
    expect([made.status, made.stderr]).toEqual([0, '']);
    expect(made.stdout).toContain('NUM SAMPLES');
    const dumped = tsdbTool(['dump-openmetrics', dir]);
    const again = temporaryDirectory();
    tsdbTool(['create-blocks-from', 'openmetrics', '-', again], dumped.stdout);
    expect(tsdbTool(['dump-openmetrics', again]).stdout).toBe(dumped.stdout);
    expect(dumped.stdout.split('\n')).toHaveLength(302);
    const json = tsdbTool(['dump', '--format', 'json', '--match', '{host="h1"}', dir]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      labels: { __name__: 'requests_total', host: 'h1', path: '/api' },
    });
  });

  it('creates nothing where a line is refused, and says which; or leaves the line out', () => {
    const dir = temporaryDirectory();
    const text = 'a 1 1\nb 2\n# EOF\n';
    const refused = tsdbTool(['create-blocks-from', 'openmetrics', '-', dir], text);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('standard input:2: a sample without a time');
    expect(refused.stderr).toContain('nothing was created');
    expect(readdirSync(dir)).toEqual([]);
    const some = tsdbTool(['create-blocks-from', 'openmetrics', '--skip-refused', '-', dir], text);
    expect(some.status).toBe(0);
    expect(some.stderr).toContain('1 lines refused');
    expect(readdirSync(dir)).toHaveLength(1);
  });

  it('ends with 1 where a check finds an error, and with 2 where it is used wrongly', () => {
    const dir = temporaryDirectory();
    tsdbTool(['create-blocks-from', 'openmetrics', '-', dir], 'a 1 1\n# EOF\n');
    expect(tsdbTool(['verify', dir]).status).toBe(0);
    const path = join(dir, readdirSync(dir)[0]!, 'index');
    const bytes = readFileSync(path);
    bytes[20]! ^= 1;
    writeFileSync(path, bytes);
    const damaged = tsdbTool(['verify', dir]);
    expect(damaged.status).toBe(1);
    expect(damaged.stdout).toMatch(/^error: index .*: .*\/index at offset \d+$/m);
    expect(tsdbTool(['dump', '--match', 'sum(up)', dir]).status).toBe(2);
    expect(tsdbTool(['create-blocks-from', 'openmetrics', '/nowhere', dir]).status).toBe(2);
    expect(tsdbTool(['list', '/nowhere'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'outpost tools tsdb list: open data directory: there is none at /nowhere\n',
    });
  });

  it('ends quietly when its reader has seen enough', () => {
    const dir = temporaryDirectory();
    tsdbTool(['create-blocks-from', 'openmetrics', '-', dir], [...bigText(50, 200)].join(''));
    const script = `"${process.execPath}" "${TOOL_MAIN}" tools tsdb dump "${dir}" | head -n 1`;
    const run = spawnSync('bash', ['-c', `set -o pipefail; ${script}`], { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^\{__name__="requests_total", host="h0", path="\/api"\} 0 \d+\n$/);
    expect([run.stderr, run.status]).toEqual(['', 0]);
  });

  it('asks an agent that is not there and says so', () => {
    const run = tsdbTool(['snapshot', '--url', 'http://127.0.0.1:9']);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('ask http://127.0.0.1:9/api/v1/admin/tsdb/snapshot');
  });

  it('records rules for the past from a directory, and names mistakes in rule files', () => {
    const dir = temporaryDirectory();
    const samples = Array.from({ length: 10 }, (_, i) => `up{i="${i}"} 1 1700000000`).join('\n');
    tsdbTool(['create-blocks-from', 'openmetrics', '-', dir], `${samples}\n# EOF\n`);
    const rules = join(temporaryDirectory(), 'rules.yaml');
    const command = ['create-blocks-from', 'rules', '--start', '1700000000'];
    const from = [...command, '--end', '2023-11-14T22:14:20Z', '--data-dir', dir];
    writeFileSync(
      rules,
      'groups: [{ name: g, rules: [{ record: r, expr: sum(up) }, { alert: a }] }]',
    );
    expect(tsdbTool([...from, '--output-dir', dir, rules])).toEqual({
      status: 2,
      stdout: '',
      stderr: `outpost tools tsdb create-blocks-from rules: ${rules}:1:59: a rule needs an expression: "expr"\n`,
    });
    writeFileSync(rules, 'groups: [{ name: g, rules: [{ record: r, expr: sum(up) }] }]');
    const run = tsdbTool([...from, '--output-dir', dir, rules]);
    expect([run.status, run.stderr]).toEqual([0, '1 recording rules evaluated\n']);
    const dump = tsdbTool(['dump', '--match', 'r', dir]);
    expect(dump.stdout).toBe('{__name__="r"} 10 1700000040000\n');
    expect(
      tsdbTool([...command, '--url', 'http://127.0.0.1:9', '--data-dir', dir, rules]).status,
    ).toBe(2);
  });

  const measures = existsSync('/proc/self/status');

  it.skipIf(!measures)(
    `makes blocks of 1,500,000 samples within 300 MiB${measures ? '' : ' (skipped: no /proc)'}`,
    async () => {
      const dir = temporaryDirectory();
      const args = [TOOL_MAIN, 'tools', 'tsdb', 'create-blocks-from', 'openmetrics', '-', dir];
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      let output = '';
      child.stdout.on('data', chunk => (output += chunk));
      const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
      let peak = 0;
      const note = (): void => {
        try {
          const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
          peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0));
        } catch {
          // it has just ended
        }
      };
      const timer = setInterval(note, 20);
      for (const text of bigText(1000, 1500)) {
        if (!child.stdin.write(text))
          await new Promise(resolve => child.stdin.once('drain', resolve));
      }
      child.stdin.end();
      expect(await ended).toBe(0);
      clearInterval(timer);
      const rows = output.trimEnd().split('\n').slice(1);
      const samples = rows.map(row => Number(row.split(/ {2,}/)[4]));
      expect(samples.reduce((sum, count) => sum + count, 0)).toBe(1_500_000);
      expect(peak).toBeGreaterThan(0);
      expect(peak).toBeLessThan(300 * 1024);
    },
    120_000,
  );
});
