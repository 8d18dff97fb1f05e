// What the host is made of: from an answer of its process to series and inventory, and the process itself.

import { describe, expect, it } from 'vitest';
import { newInventory, readInProcess } from '../../../plugins/hardware/inventory.ts';
import { partsOf } from '../../../plugins/hardware/inventory-facts.ts';
import { systemClock } from '../../../src/lifecycle/clock.ts';
import { until } from '../../fakes/until.ts';
import { HASTY, hostOf } from './programs.ts';

const FOUND = {
  system: { manufacturer: 'ACME', model: 'Anvil', serial: '-', virtual: false, virtualHost: '' },
  bios: { vendor: '', version: '', releaseDate: '' },
  board: null,
  chassis: { manufacturer: 'ACME', type: 'Rack Mount', serial: 'To Be Filled By O.E.M.' },
  cpu: { manufacturer: 'AMD', brand: 'EPYC', cores: 2 },
  dimm: [
    { bank: 'A1', type: 'DDR5', size: 34_359_738_368, serialNum: 'D1' },
    { bank: '', type: '', size: 1024, serialNum: '' },
  ],
  disk: [{ device: '/dev/sda', name: 'Spinner', size: 4096, interfaceType: 'SATA' }],
  gpu: [{ vendor: 'ACME', model: 'Blitter', busAddress: '01:00.0' }],
};

describe('the inventory', () => {
  it('tells each part as a series, without what is not known', async () => {
    let reads = 0;
    const { collector } = newInventory(async () => {
      reads++;
      return FOUND;
    });
    const host = hostOf(collector);
    const soon = 1_700_000_060_000;
    expect(await host.collect(soon - 60_000)).not.toContain('node_inventory');
    await until('the answer', () => reads === 1);
    await new Promise(setImmediate);
    const text = await host.collect(soon);
    expect(host.failures).toEqual([]);
    expect(text.split('\n').filter(line => line.startsWith('node_inventory'))).toEqual([
      'node_inventory_chassis_info{id="chassis",manufacturer="ACME",type="Rack Mount"} 1',
      'node_inventory_cpu_info{brand="EPYC",id="cpu",manufacturer="AMD"} 1',
      'node_inventory_dimm_info{bank="A1",id="0",serial="D1",type="DDR5"} 1',
      'node_inventory_disk_info{device="/dev/sda",id="/dev/sda",interface="SATA",name="Spinner"} 1',
      'node_inventory_gpu_info{bus_address="01:00.0",id="01:00.0",model="Blitter",vendor="ACME"} 1',
      'node_inventory_size_bytes{id="/dev/sda",kind="disk"} 4096',
      'node_inventory_size_bytes{id="0",kind="dimm"} 34359738368',
      'node_inventory_system_info{id="system",manufacturer="ACME",model="Anvil"} 1',
    ]);
    expect(await host.collect(soon + 60_000)).toBe(text);
    expect(reads).toBe(1);
    host.close();
  });

  it('that fails is told, and tried again an hour later', async () => {
    let reads = 0;
    let now = 0;
    const clock = { ...HASTY, monotonic: () => now };
    const { collector } = newInventory(async () => {
      if (++reads === 1) throw new Error('no answer');
      return FOUND;
    });
    const host = hostOf(collector, { clock });
    const collect = async (minute: number): Promise<string> => {
      now = minute * 60_000;
      const text = await host.collect(1_700_000_000_000 + now);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      return text;
    };
    await collect(0);
    await collect(1);
    expect(host.failures.map(({ message }) => message)).toEqual(['no answer']);
    await collect(59);
    expect(reads).toBe(1);
    await collect(60);
    expect(await collect(61)).toContain('node_inventory_cpu_info');
    expect([reads, host.failures]).toEqual([2, []]);
    host.close();
  });

  it('tells each part as a thing, and what has gone', async () => {
    const ending = new AbortController();
    const answers: object[] = [FOUND, { ...FOUND, disk: [] }];
    let now = 0;
    const clock = { ...HASTY, monotonic: () => (now += 86_400_000) };
    const { inventory } = newInventory(async () => answers.shift() ?? {});
    const told: string[] = [];
    let rounds = 0;
    await inventory({ clock, signal: ending.signal } as never, {
      present: ({ id, attributes }) => told.push(`${rounds} ${id} ${JSON.stringify(attributes)}`),
      gone: id => told.push(`${rounds} gone ${id}`),
      complete() {
        if (++rounds === 2) ending.abort();
      },
    });
    expect(told[3]).toBe(
      '0 dimm/0 {"bank":"A1","type":"DDR5","serial":"D1","size_bytes":34359738368}',
    );
    expect(told.at(-1)).toBe('1 gone disk//dev/sda');
    expect(rounds).toBe(2);
  });

  it('keeps no more than 256 parts of a kind', () => {
    const disk = Array.from({ length: 1000 }, (_, i) => ({ device: `/dev/sd${i}` }));
    expect(partsOf({ disk })).toHaveLength(256);
  });

  it('makes nothing of an answer that is none', () => {
    expect(partsOf(null)).toEqual([]);
    expect(partsOf({ cpu: 'x', dimm: {}, disk: [null] })).toEqual([]);
  });

  it('comes from a process that ends with its answer', async () => {
    const found = await readInProcess({ clock: systemClock });
    expect(found).toMatchObject({ cpu: { cores: expect.any(Number) }, disk: expect.any(Array) });
    expect(Object.keys(found as object).sort()).toEqual([
      'bios',
      'board',
      'chassis',
      'cpu',
      'dimm',
      'disk',
      'gpu',
      'system',
    ]);
  });
});
