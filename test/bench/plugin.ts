// What a collection costs: CPU of host and plugin for each collection of the os plugin, over a tree of a
// host with 32 CPUs, 20 disks and 20 network devices. Run: node test/bench/plugin.ts [interval ms] [seconds]

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PluginHost } from '../../plugins/host/plugin-host.ts';
import type { SampleSink } from '../../plugins/host/sink.ts';
import { sleep, systemClock } from '../../src/lifecycle/clock.ts';
import { newLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';

const intervalMs = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 30);
const WARM_UP_MS = 5_000;

// The built plugin where there is one: reading TypeScript costs a process some 20 MiB.
const SOURCE = fileURLToPath(new URL('../../plugins/os/main.ts', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/plugins/os/main.js', import.meta.url));
const MAIN = existsSync(BUILT) ? BUILT : SOURCE;
const root = mkdtempSync(join(tmpdir(), 'outpost-bench-'));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What this machine has, with more CPUs, disks and network devices than it has. */
function buildTree(): void {
  for (const path of [
    'meminfo',
    'loadavg',
    'vmstat',
    'net/sockstat',
    'sys/fs/file-nr',
    '1/mountinfo',
  ]) {
    write(`proc/${path}`, readFileSync(`/proc/${path}`, 'latin1'));
  }
  for (const name of ['ostype', 'osrelease', 'version', 'hostname', 'domainname']) {
    write(`proc/sys/kernel/${name}`, readFileSync(`/proc/sys/kernel/${name}`, 'latin1'));
  }
  const cpus = range(32).map(i => `cpu${i} 101854 612 11922 8979004 3552 2 3944 0 44 36\n`);
  write(
    'proc/stat',
    `cpu  1 2 3 4 5 6 7 8 9 10\n${cpus.join('')}intr 8885917${' 0'.repeat(1000)}\nctxt 38014093\n` +
      'btime 1418183276\nprocesses 26442\nprocs_running 2\nprocs_blocked 0\nsoftirq 5 1 2 3\n',
  );
  const disk = '326552 841 9657779 84 41822 2895 1972905 5007 0 60730 67070 68851 0 1925 11 15 19';
  write(
    'proc/diskstats',
    range(20)
      .map(i => `   8  ${i} dm-${i} ${disk}\n`)
      .join(''),
  );
  const device = '64910168 648 0 0 0 0 0 0 64910168 648 0 0 0 0 0 0';
  write(
    'proc/net/dev',
    `Inter-| Receive\n face |bytes\n${range(20)
      .map(i => `  eth${i}: ${device}\n`)
      .join('')}`,
  );
  for (const i of range(20)) write(`sys/class/net/eth${i}/statistics/rx_nohandler`, '0\n');
  const stall = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=14036781\nfull avg10=0.00 total=9\n';
  for (const name of ['cpu', 'io', 'memory']) write(`proc/pressure/${name}`, stall);
}

/** CPU time of a process in ms, all threads. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

let collections = 0;
let series = 0;
const sink: SampleSink = {
  source: () => ({
    family() {},
    series() {},
    async collected(_time, _ids, _values, count) {
      collections++;
      series = count;
    },
    async added() {},
    async close() {},
  }),
};

buildTree();
const host = new PluginHost({
  plugins: [
    {
      name: 'os',
      command: process.execPath,
      args: ['--max-semi-space-size=1', MAIN],
      roots: { procfs: join(root, 'proc'), sysfs: join(root, 'sys') },
    },
  ],
  sink,
  onEvent: event => console.log(event.message),
  clock: systemClock,
  random: () => 0,
  logger: newLogger({
    level: 'warn',
    format: 'logfmt',
    write: line => console.log(line),
    now: () => 0,
  }),
  registry: new Registry(),
  socketDir: root,
  intervalMs,
});
const stop = new AbortController();
const done = host.run(stop.signal);
await sleep(systemClock, WARM_UP_MS);
const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'latin1');
const plugin = Number(children.trim().split(' ')[0]);
const before = { host: process.cpuUsage(), plugin: cpuOf(plugin), collections };
await sleep(systemClock, seconds * 1000);
const cpu = process.cpuUsage(before.host);
const count = collections - before.collections;
const hostMs = (cpu.user + cpu.system) / 1000 / count;
const pluginMs = (cpuOf(plugin) - before.plugin) / count;
const memory = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${plugin}/smaps_rollup`, 'latin1'))?.[1];
console.log(
  `${count} collections of ${series} series every ${intervalMs} ms: ` +
    `host ${hostMs.toFixed(2)} ms, plugin ${pluginMs.toFixed(2)} ms CPU each; ` +
    `plugin ${(Number(memory) / 1024).toFixed(0)} MiB Pss`,
);
stop.abort();
await done;
rmSync(root, { recursive: true, force: true });
