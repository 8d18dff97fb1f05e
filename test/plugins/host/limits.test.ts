// The limits of plugins as decisions: use of memory and CPU, rates, groups, places to start.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LimitedEvents } from '../../../plugins/host/event-limit.ts';
import { IntakeRates } from '../../../plugins/host/intake-rates.ts';
import { type CgroupTree, openCgroups } from '../../../plugins/host/plugin-cgroup.ts';
import { PLUGIN_LIMITS } from '../../../plugins/host/plugin-spec.ts';
import { processState, readUsage } from '../../../plugins/host/process-usage.ts';
import type { ReceivedEvent } from '../../../plugins/host/received-event.ts';
import { SocketDirectory } from '../../../plugins/host/socket-directory.ts';
import { StartGate } from '../../../plugins/host/start-gate.ts';
import { judgeUsage, newUsageHistory } from '../../../plugins/host/usage-policy.ts';
import { ManualClock } from '../../../src/lifecycle/clock.ts';

const MIB = 1024 * 1024;
const EVENT: ReceivedEvent = {
  ...{ name: 'storm.drop', time: 1, severity: 9, subject: null, reason: '', message: '' },
  ...{ attributes: {}, condition: null, raw: '', collector: '', count: 1 },
};
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outpost-limits-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('judgeUsage', () => {
  const limits = { memoryBytes: 100 * MIB, cpuCores: 0.5 };

  it('stretches the interval at the third reading over the CPU limit, up to eight times, then restarts', () => {
    let history = newUsageHistory(0);
    const verdicts: string[] = [];
    for (let i = 1; i <= 20; i++) {
      const usage = { cpuSeconds: i * 5, memoryBytes: MIB, processes: 1 };
      const verdict = judgeUsage(history, usage, limits, { now: i * 5000, uptimeMs: 60_000 });
      history = verdict.history;
      verdicts.push(verdict.kind === 'stretch' ? `×${history.stretch}` : verdict.kind);
      if (verdict.kind === 'restart') {
        expect(verdict.why).toBe('it keeps 1.00 cores busy and may keep 0.5');
        break;
      }
    }
    // The first reading has nothing to compare with.
    expect(verdicts.join(' ')).toBe(
      'fine fine fine ×2 fine fine ×4 fine fine ×8 fine fine restart',
    );
  });

  it('lets a plugin that has just started use what it likes, and forgives what ends', () => {
    let history = newUsageHistory(0);
    const at = (seconds: number, cpuSeconds: number) => {
      const usage = { cpuSeconds, memoryBytes: MIB, processes: 1 };
      const verdict = judgeUsage(history, usage, limits, {
        now: seconds * 1000,
        uptimeMs: seconds * 1000,
      });
      history = verdict.history;
      return verdict.history.strikes;
    };
    expect([at(5, 5), at(10, 10), at(25, 25)]).toEqual([0, 0, 0]);
    expect([at(30, 30), at(35, 35), at(40, 35.1), at(45, 40)]).toEqual([1, 2, 0, 1]);
  });

  it('restarts at once over the memory limit', () => {
    const usage = { cpuSeconds: 0, memoryBytes: 101 * MIB, processes: 1 };
    const verdict = judgeUsage(newUsageHistory(0), usage, limits, { now: 1, uptimeMs: 1 });
    expect([verdict.kind, verdict.why]).toEqual([
      'restart',
      'it has 101 MiB of memory and may have 100 MiB',
    ]);
  });
});

describe('readUsage', () => {
  const process = (pid: number, name: string, fields: readonly number[], children: string) => {
    const [utime, stime, cutime, cstime, pages] = fields;
    mkdirSync(join(folder, `${pid}/task/${pid}`), { recursive: true });
    const stat = `${pid} (${name}) D 1 1 1 0 -1 0 9 9 9 9 ${utime} ${stime} ${cutime} ${cstime} 20 0 1 0 5 999 ${pages} 7`;
    writeFileSync(join(folder, `${pid}/stat`), stat);
    writeFileSync(join(folder, `${pid}/task/${pid}/children`), children);
  };

  it('adds up a process and all below it, whatever its name', () => {
    process(10, 'a) D (b', [100, 50, 20, 30, 10], '11 12 ');
    process(11, 'sh', [10, 0, 0, 0, 5], '');
    expect(readUsage(10, folder)).toEqual({
      cpuSeconds: 2.1,
      memoryBytes: 15 * 4096,
      processes: 3,
    });
    expect(processState(10, folder)).toBe('D');
    expect(readUsage(99, folder)).toBe(null);
    expect(processState(99, folder)).toBe(null);
  });
});

describe('IntakeRates', () => {
  it('lets a burst of series begin, then so many a minute', () => {
    const rates = new IntakeRates(3, { newSeriesPerMinute: 2 });
    const admitted = (count: number): number =>
      Array.from({ length: count }, () => rates.admitSeries()).filter(Boolean).length;
    rates.advance(1_000_000);
    expect(admitted(5)).toBe(3);
    rates.advance(1_030_000);
    expect(admitted(5)).toBe(1);
    rates.advance(1_090_000);
    expect(admitted(5)).toBe(2);
    // A clock that steps back gives nothing.
    rates.advance(500_000);
    expect(admitted(5)).toBe(0);
  });

  it('bounds samples by the time between collections, a second at least and a minute at most', () => {
    const rates = new IntakeRates(1, { samplesPerSecond: 10 });
    rates.advance(1_000_000);
    expect(rates.samplesMax).toBe(600);
    rates.advance(1_000_100);
    expect(rates.samplesMax).toBe(10);
    rates.advance(1_015_100);
    expect(rates.samplesMax).toBe(150);
    rates.advance(9_000_000);
    expect(rates.samplesMax).toBe(600);
    expect(new IntakeRates(1, {}).samplesMax).toBe(Infinity);
  });
});

describe('LimitedEvents', () => {
  it('passes on a minute’s worth at once, then as many as the time allows', async () => {
    const clock = new ManualClock();
    const passed: number[] = [];
    const dropped: [number, string][] = [];
    const sink = {
      append: async (_: string, events: readonly ReceivedEvent[]) =>
        void passed.push(events.length),
    };
    const limited = new LimitedEvents(sink, {
      clock,
      perMinute: 6,
      onDropped: (count, example) => dropped.push([count, example]),
    });
    const events = (count: number) => Array.from({ length: count }, () => EVENT);
    await limited.append('p', events(4));
    await limited.append('p', events(4));
    await limited.append('p', events(4));
    clock.advance(20_000);
    await limited.append('p', events(4));
    clock.advance(600_000);
    await limited.append('p', events(9));
    expect(passed).toEqual([4, 2, 2, 6]);
    expect(dropped).toEqual([
      [2, 'storm.drop'],
      [4, 'storm.drop'],
      [2, 'storm.drop'],
      [3, 'storm.drop'],
    ]);
  });
});

describe('cgroups', () => {
  const GROUP = 'system.slice/outpost.service';
  const uid = process.getuid!();

  function delegated(
    group = GROUP,
    processes = '42\n',
    controllers = 'cpu io memory pids',
  ): string {
    const path = join(folder, group);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'cgroup.procs'), processes);
    writeFileSync(join(path, 'cgroup.controllers'), `${controllers}\n`);
    return path;
  }
  const open = (group = GROUP) =>
    openCgroups({ root: folder, selfCgroup: `3:cpu:/x\n0::/${group}\n`, pid: 42, uid });

  it('moves the agent to a leaf and limits each plugin beside it', () => {
    const path = delegated();
    const tree = open() as CgroupTree;
    expect(readFileSync(join(path, 'agent/cgroup.procs'), 'utf8')).toBe('42');
    expect(readFileSync(join(path, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu +pids');
    const group = tree.make('os', { ...PLUGIN_LIMITS, cpuCores: 0.25, pids: Infinity });
    const read = (name: string): string => readFileSync(join(path, 'plugin-os', name), 'utf8');
    expect([read('memory.max'), read('cpu.max'), read('pids.max')]).toEqual([
      String(512 * MIB),
      '25000 100000',
      'max',
    ]);
    group.add(77);
    expect(read('cgroup.procs')).toBe('77');
    expect(group.outOfMemoryKills).toBe(0);
    writeFileSync(join(path, 'plugin-os/memory.events'), 'low 0\noom 4\noom_kill 3\n');
    expect(group.outOfMemoryKills).toBe(3);
    group.remove();
    expect(read('cgroup.kill')).toBe('1');
  });

  it('finds its place where systemd made the leaf', () => {
    const path = delegated();
    mkdirSync(join(path, 'agent'));
    const tree = open(`${GROUP}/agent`) as CgroupTree;
    tree.make('os', PLUGIN_LIMITS);
    expect(readdirSync(path)).toContain('plugin-os');
  });

  const refused: readonly (readonly [string, () => void, string, string])[] = [
    ['in the root group', () => {}, '', 'the agent is in the root group'],
    ['among others', () => delegated(GROUP, '42\n43\n'), GROUP, 'other processes share'],
    [
      'without controllers',
      () => delegated(GROUP, '42\n', 'cpu'),
      GROUP,
      'controllers are missing: memory, pids',
    ],
    ['that is not there', () => {}, GROUP, 'ENOENT'],
  ];
  for (const [where, prepare, group, problem] of refused) {
    it(`leaves a group alone ${where}`, () => {
      prepare();
      expect(open(group)).toEqual({ problem: expect.stringContaining(problem) });
      expect(existsSync(join(folder, GROUP, 'cgroup.subtree_control'))).toBe(false);
    });
  }

  it('leaves a group of another user alone', () => {
    delegated();
    const selfCgroup = `0::/${GROUP}\n`;
    const tree = openCgroups({ root: folder, selfCgroup, pid: 42, uid: uid + 1 });
    expect(tree).toEqual({ problem: expect.stringContaining('belongs to another user') });
  });
});

describe('StartGate', () => {
  it('lets in as many as there are places, then one for each that leaves, in order', async () => {
    const gate = new StartGate(2);
    const never = new AbortController().signal;
    const entered: number[] = [];
    const leaves = [1, 2, 3, 4].map(async n => {
      const leave = await gate.enter(never);
      entered.push(n);
      return leave;
    });
    const first = await leaves[0]!;
    expect(entered).toEqual([1, 2]);
    first();
    first();
    await leaves[2];
    expect(entered).toEqual([1, 2, 3]);
    (await leaves[1]!)();
    await leaves[3];
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it('forgets who gave up waiting', async () => {
    const gate = new StartGate(1);
    const never = new AbortController().signal;
    const leave = await gate.enter(never);
    const impatient = new AbortController();
    const waiting = gate.enter(impatient.signal);
    const next = gate.enter(never);
    impatient.abort(new Error('no more'));
    await expect(waiting).rejects.toThrow('no more');
    leave();
    await next;
  });
});

describe('SocketDirectory', () => {
  const uid = process.getuid!();

  it('is the agent’s alone, and empty at the start', () => {
    const path = join(folder, 'data/run');
    mkdirSync(join(path, 'left'), { recursive: true });
    writeFileSync(join(path, 'plugin-os-1'), '');
    const sockets = new SocketDirectory(path, join(folder, 'users'), uid);
    sockets.open();
    expect(readdirSync(path)).toEqual([]);
    expect(sockets.for('os', null)).toBe(path);
    sockets.close();
    expect([existsSync(path), existsSync(join(folder, 'data'))]).toEqual([false, true]);
  });

  it('does not use what somebody else made', () => {
    const sockets = new SocketDirectory(folder, folder, uid + 1);
    expect(() => sockets.open()).toThrow('it is there and belongs to somebody else');
  });
});
