// `outpost plugin` as its users run it: a scaffold that works, a check that finds what is wrong, a page.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src/cli/main.ts');
const FEATURED = join(ROOT, 'test/plugins/host/plugins/featured.ts');
const RAW = join(ROOT, 'test/plugins/host/plugins/raw.ts');

interface Finding {
  readonly rule: string;
  readonly outcome: string;
  readonly detail: string;
}

function outpost(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'plugin', ...args], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, stdout, stderr };
}

function outcomes(stdout: string): Record<string, string> {
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return Object.fromEntries(findings.map(({ rule, outcome }) => [rule, outcome]));
}

describe('outpost plugin', { timeout: 120_000 }, () => {
  it('makes a plugin that passes its own test and the check', () => {
    const dir = join(temporaryDirectory(), 'my-plugin');
    const made = outpost('new', dir);
    expect([made.status, made.stderr]).toEqual([0, '']);
    expect(made.stdout).toContain('outpost plugin check');
    expect(readdirSync(dir).sort()).toEqual([
      'README.md',
      'collector.mjs',
      'collector.test.mjs',
      'main.mjs',
      'package.json',
      'plugin-definition.mjs',
      'plugin.yaml',
      'sdk.mjs',
    ]);
    expect(readFileSync(join(dir, 'plugin.yaml'), 'utf8')).toBe(
      'name: my-plugin\nexec: ./main.mjs\n',
    );
    const tested = spawnSync(process.execPath, ['--test'], { cwd: dir, encoding: 'utf8' });
    expect(tested.status, tested.stdout).toBe(0);
    expect(tested.stdout).toMatch(/pass 1\b/);
    const checked = outpost('check', '--collections', '5', join(dir, 'main.mjs'));
    expect([checked.status, checked.stderr]).toEqual([0, '']);
    expect(checked.stdout).toMatch(/\nmy-plugin 0\.1\.0 keeps the rules: 26 rules kept\n$/);
    expect(checked.stdout).toMatch(/Cost, over 5 collections\n +series +\d+ of 5 families\n/);
    expect(outpost('new', dir).stderr).toContain('the folder is not empty');
    expect(outpost('new', join(dir, 'Bad Name')).status).toBe(2);
  });

  it('passes a plugin with every feature, with the options it is given', () => {
    const options = '{"featured":{"options":{"low":2}}}';
    const good = outpost('check', '--json', '--collections', '3', '--options', options, FEATURED);
    const report = JSON.parse(good.stdout);
    expect(report).toMatchObject({ conformant: true, name: 'featured', version: '2.0.0' });
    expect(report.cost).toMatchObject({ collections: 3, families: 4, series: 4 });
    expect(report.cost.memoryBytes).toBeGreaterThan(1e6);
    expect(good.status).toBe(0);
    const wrong = '{"featured":{"options":{"low":10}}}';
    const bad = outpost('check', '--json', '--options', wrong, FEATURED);
    expect(outcomes(bad.stdout)['takes its configuration']).toBe('fail');
    expect(bad.status).toBe(1);
  });

  it('names the rules that a liar breaks, and passes arguments on to the plugin', () => {
    const { status, stdout } = outpost('check', '--json', '--collections', '1', RAW, 'lies');
    expect(status).toBe(1);
    const broken = Object.entries(outcomes(stdout)).filter(([, outcome]) => outcome === 'fail');
    expect(broken.map(([rule]) => rule)).toEqual([
      'tells whoever starts it by hand what it is',
      'refuses to collect before it is configured',
      'refuses an unknown collector, and says where it is',
      'keeps its configuration when it refuses another',
      'collects what the host can store',
      'names its metrics as the field does',
      'keeps its numbers: a second answer defines nothing anew',
      'defines everything again for a host that lost it',
      'outlives Ctrl-C in the host\u2019s terminal',
      'ends within two seconds when it is asked to',
    ]);
  });

  it('says what is wrong with a program that is no plugin, or no program', () => {
    const notOne = outpost('check', '--json', '/bin/true');
    expect(notOne.status).toBe(1);
    expect(outcomes(notOne.stdout)['prints its handshake first']).toBe('fail');
    expect(outpost('check', '/nothing')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'outpost plugin check: there is no such command: /nothing\n',
    });
  });

  it('prints a page about a plugin', () => {
    const { status, stdout } = outpost('describe', FEATURED);
    expect(status).toBe(0);
    expect(stdout).toContain('# Plugin featured\n\nVersion 2.0.0, by Tests & Co.\n');
    expect(stdout).toContain('| `low` | number | `1` | Least. |\n');
    expect(stdout).toContain('Needs CAP_SYSLOG.');
    expect(stdout).toContain('| `featured.tick` | warning | One of a row. |  |\n');
    expect(stdout).toContain('### echo\n\nAnswers with its argument, some times. For administr');
    const json = JSON.parse(outpost('describe', '--json', FEATURED).stdout);
    expect(json).toMatchObject({ name: 'featured', vendor: 'Tests & Co.' });
  });
});
