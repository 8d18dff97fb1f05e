// The state of the clock through programs: their answers, and the choice among them.

import { describe, expect, it } from 'vitest';
import { newTimex } from '../../../plugins/os/timex.ts';
import {
  type ClockSource,
  clockSources,
  parseAdjtimex,
  parseChrony,
  parseTimex,
} from '../../../plugins/os/timex-sources.ts';
import { type RunCommand, runCommand } from '../../../plugins/sdk/command.ts';
import { FakeHost } from '../../../plugins/sdk/fake-host.ts';
import { definePlugin } from '../../../plugins/sdk/runtime.ts';

const ANSWER =
  '0 0 1500000 -3276800 16000 500 8193 7 1 32768000 1700000000 250 10000 65536 2000 4 131072 1 2 3 4 37';

async function exposed(sources: readonly ClockSource[], run: RunCommand): Promise<string> {
  const plugin = definePlugin({ name: 'os', version: '1', collectors: [newTimex(sources, run)] });
  const host = new FakeHost(plugin);
  const text = await host.collect();
  host.close();
  return text.replace(/^# .*\n/gm, '');
}

const answering =
  (answers: Readonly<Record<string, string>>, asked: string[] = []): RunCommand =>
  async program => {
    asked.push(program);
    const stdout = answers[program];
    if (stdout === undefined) throw new Error(`${program} is not installed`);
    return { code: 0, stdout, stderr: '' };
  };

describe('timex', () => {
  it('exposes what adjtimex tells in base units', async () => {
    expect(await exposed(clockSources('x64'), answering({ perl: ANSWER }))).toBe(
      `node_scrape_collector_success{collector="timex"} 1
node_timex_estimated_error_seconds 0.0005
node_timex_frequency_adjustment_ratio 0.99995
node_timex_loop_time_constant 7
node_timex_maxerror_seconds 0.016
node_timex_offset_seconds 0.0015
node_timex_pps_calibration_total 2
node_timex_pps_error_total 3
node_timex_pps_frequency_hertz 0.000001
node_timex_pps_jitter_seconds 0.000002
node_timex_pps_jitter_total 1
node_timex_pps_shift_seconds 4
node_timex_pps_stability_exceeded_total 4
node_timex_pps_stability_hertz 0.000002
node_timex_status 8193
node_timex_sync_status 1
node_timex_tai_offset_seconds 37
node_timex_tick_seconds 0.01
`,
    );
  });

  it('takes offset and jitter as microseconds without STA_NANO, and 5 as not synchronized', async () => {
    const answer = ANSWER.replace(/^0 /, '5 ').replace(' 8193 ', ' 64 ');
    const text = await exposed(clockSources('x64'), answering({ perl: answer }));
    expect(text).toContain('node_timex_offset_seconds 1.5\n');
    expect(text).toContain('node_timex_pps_jitter_seconds 0.002\n');
    expect(text).toContain('node_timex_sync_status 0\n');
  });

  it('asks the next program where one is missing or answers nonsense, and keeps the one that answers', async () => {
    const asked: string[] = [];
    const run = answering({ perl: "Can't locate object", chronyc: CHRONY }, asked);
    const plugin = definePlugin({
      name: 'os',
      version: '1',
      collectors: [newTimex(clockSources('x64'), run)],
    });
    const host = new FakeHost(plugin);
    expect(await host.collect(1_700_000_000_000)).toContain('node_timex_sync_status 1\n');
    await host.collect(1_700_000_060_000);
    expect(asked).toEqual(['perl', 'python3', 'adjtimex', 'chronyc', 'chronyc']);
    host.close();
  });

  it('says what to install where no program answers', async () => {
    const plugin = definePlugin({
      name: 'os',
      version: '1',
      collectors: [newTimex(clockSources('mips'), answering({}))],
    });
    const host = new FakeHost(plugin);
    expect(await host.collect()).toContain('node_scrape_collector_success{collector="timex"} 0');
    // That a host has nothing to tell is no failure.
    expect(host.failures).toEqual([]);
    host.close();
  });

  for (const source of clockSources().slice(0, 2)) {
    it(`reads this host's clock through ${source.name} (passes where it is not installed)`, async context => {
      const answer = await runCommand(source.program, source.args, {
        clock: { now: () => 0, monotonic: () => 0, after: () => () => {} },
        timeoutMs: 10_000,
      }).catch(() => null);
      if (answer === null) return context.skip(`${source.program} is not installed`);
      const state = source.parse(answer.stdout);
      expect(state?.tick).toBe(10_000);
      expect(state?.maxerror).toBeGreaterThanOrEqual(0);
      expect([0, 1, 2, 3, 4, 5]).toContain(state?.state);
    });
  }
});

const CHRONY =
  'A29FC87B,162.159.200.123,3,1700000000.5,0.000123,-0.000021,0.000100,-12.5,0.001,0.05,0.01,0.002,64.2,Normal\n';

describe('answers of time programs', () => {
  it('chronyc tracking: offset, frequency, largest error and synchronization', () => {
    expect(parseChrony(CHRONY)).toEqual({
      state: 0,
      offset: -123_000,
      status: 0x2000,
      freq: -819_200,
      maxerror: 7000,
    });
    expect(parseChrony(CHRONY.replace('Normal', 'Not synchronised'))?.state).toBe(5);
    expect(parseChrony('506 Cannot talk to daemon')).toBe(null);
  });

  it('adjtimex --print', () => {
    const text =
      '         mode: 0\n       offset: -42\n    frequency: 65536\n     maxerror: 16000000\n' +
      '     esterror: 16000000\n       status: 64\ntime_constant: 2\n    precision: 1\n' +
      '         tick: 10000\n return value = 5\n';
    expect(parseAdjtimex(text)).toEqual({
      state: 5,
      offset: -42,
      freq: 65_536,
      maxerror: 16_000_000,
      esterror: 16_000_000,
      status: 64,
      constant: 2,
      tick: 10_000,
    });
    expect(parseAdjtimex('adjtimex: Operation not permitted')).toBe(null);
  });

  it('the raw structure: as many numbers as it has fields, and no failed call', () => {
    expect(parseTimex(ANSWER)?.tai).toBe(37);
    expect(parseTimex(`${ANSWER} 1`)).toBe(null);
    expect(parseTimex(ANSWER.replace(/^0 /, '-1 '))).toBe(null);
    expect(parseTimex('')).toBe(null);
  });
});
