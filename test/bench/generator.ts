// Seeded data of the shape a host really has: about 500 series, mostly counters with small steps, some
// gauges with two or three decimals, many that hardly change. Every run sees the same bytes.

import { ProtoWriter } from '../../src/encoding/proto.ts';
import { snappyEncode } from '../../src/encoding/snappy.ts';
import { Labels } from '../../src/labels/labels.ts';

/** A seeded uniform random function (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One generated series and how its next value follows from the last. */
export interface GeneratedSeries {
  readonly labels: Labels;
  value: number;
  readonly step: (value: number, random: () => number) => number;
}

const MODES = ['user', 'system', 'idle', 'iowait', 'irq', 'nice', 'softirq', 'steal'];
const CPUS = 16;
const DEVICES = 12;
const DISKS = 10;

/** About 500 series of one host. */
export function hostSeries(host: number): GeneratedSeries[] {
  const base = { job: 'node', instance: `host-${host}:9100`, region: `r${host % 4}` };
  const out: GeneratedSeries[] = [];
  const add = (
    name: string,
    labels: Record<string, string>,
    step: GeneratedSeries['step'],
    value = 0,
  ): void => {
    out.push({ labels: Labels.fromObject({ __name__: name, ...base, ...labels }), value, step });
  };
  const seconds: GeneratedSeries['step'] = (v, r) => Math.round((v + r() * 15) * 100) / 100;
  const bytes: GeneratedSeries['step'] = (v, r) => v + Math.floor(r() * 150_000);
  const rare: GeneratedSeries['step'] = (v, r) => (r() < 0.02 ? v + 1 : v);
  const gauge: GeneratedSeries['step'] = (v, r) => Math.round((v + r() - 0.5) * 1000) / 1000;
  const memory: GeneratedSeries['step'] = (v, r) => v + Math.floor((r() - 0.5) * 64) * 4096;
  for (let cpu = 0; cpu < CPUS; cpu++) {
    for (const mode of MODES) add('node_cpu_seconds_total', { cpu: String(cpu), mode }, seconds);
  }
  for (let i = 0; i < DEVICES; i++) {
    const device = `eth${i}`;
    for (const direction of ['receive', 'transmit']) {
      for (const kind of ['bytes', 'packets'])
        add(`node_network_${direction}_${kind}_total`, { device }, bytes);
      for (const kind of ['errs', 'drop', 'fifo', 'compressed']) {
        add(`node_network_${direction}_${kind}_total`, { device }, rare);
      }
    }
  }
  for (let i = 0; i < DISKS; i++) {
    const device = `sd${String.fromCharCode(97 + i)}`;
    for (const kind of ['reads_completed', 'read_bytes', 'writes_completed', 'written_bytes']) {
      add(`node_disk_${kind}_total`, { device }, bytes);
    }
    for (const kind of ['read_time_seconds', 'write_time_seconds', 'io_time_seconds']) {
      add(`node_disk_${kind}_total`, { device }, seconds);
    }
    add(
      'node_filesystem_avail_bytes',
      { device, mountpoint: `/mnt/${i}`, fstype: 'ext4' },
      memory,
      1e11,
    );
    add(
      'node_filesystem_size_bytes',
      { device, mountpoint: `/mnt/${i}`, fstype: 'ext4' },
      v => v,
      2e11,
    );
  }
  for (let i = 0; i < 45; i++) add(`node_memory_Field${i}_bytes`, {}, memory, 1e9 + i * 1e7);
  for (let i = 0; i < 90; i++) add(`node_netstat_Tcp_Field${i}`, {}, i % 3 ? rare : bytes);
  for (const span of ['1', '5', '15']) add(`node_load${span}`, {}, gauge, 2);
  return out;
}

/** A snappy-compressed remote-write 1.0 body: `samples` further samples of each series. */
export function remoteWriteBody(
  series: readonly GeneratedSeries[],
  firstTime: number,
  stepMs: number,
  samples: number,
  random: () => number,
): Uint8Array {
  const writer = new ProtoWriter(1 << 16);
  for (const one of series) {
    writer.messageField(1, () => {
      for (const [name, value] of one.labels) {
        writer.messageField(1, () => {
          writer.stringField(1, name);
          writer.stringField(2, value);
        });
      }
      for (let i = 0; i < samples; i++) {
        one.value = one.step(one.value, random);
        writer.messageField(2, () => {
          writer.doubleField(1, one.value);
          writer.int64Field(2, firstTime + i * stepMs);
        });
      }
    });
  }
  return snappyEncode(writer.finish());
}
