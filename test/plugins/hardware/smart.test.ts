// Disks asked through smartctl and nvme: what becomes of their answers, and of those that give none.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newSmart } from '../../../plugins/hardware/smart.ts';
import { hostOf, playBack } from './programs.ts';

const NOW = 1_700_000_000_000;
const TEN_MINUTES = 600_000;

const scan = (...devices: [string, string][]) => ({
  stdout: JSON.stringify({ devices: devices.map(([name, type]) => ({ name, type })) }),
});

const ATA = {
  device: { name: '/dev/sda', type: 'sat', protocol: 'ATA' },
  smartctl: { exit_status: 64 },
  model_name: 'Spinner 4T',
  serial_number: ' S1 ',
  firmware_version: '1.0',
  user_capacity: { blocks: 8, bytes: 4096 },
  logical_block_size: 512,
  rotation_rate: 7200,
  interface_speed: { max: { units_per_second: 60, bits_per_unit: 100_000_000 } },
  smart_status: { passed: true },
  power_on_time: { hours: 2, minutes: 1 },
  power_cycle_count: 9,
  temperature: { current: 31 },
  ata_smart_attributes: {
    table: [
      {
        id: 5,
        name: 'Reallocated_Sector_Ct',
        value: 200,
        worst: 199,
        thresh: 140,
        flags: { string: 'PO--CK ', prefailure: true, updated_online: true, auto_keep: false },
        raw: { value: 3 },
      },
    ],
  },
  ata_smart_error_log: { summary: { count: 2 } },
  ata_sct_erc: { read: { deciseconds: 70 } },
};

const NVME = {
  device: { name: '/dev/nvme0', type: 'nvme', protocol: 'NVMe' },
  model_name: 'Flash',
  smart_status: { passed: false },
  nvme_smart_health_information_log: {
    critical_warning: 4,
    percentage_used: 91,
    available_spare: 20,
    media_errors: 1,
    data_units_read: 10,
    data_units_written: 0,
  },
};

const SCSI = {
  device: { name: '/dev/bus/0', type: 'megaraid,3', protocol: 'SCSI' },
  scsi_model_name: 'Array disk',
  scsi_grown_defect_list: 7,
  scsi_error_counter_log: { read: { gigabytes_processed: '1.5', total_uncorrected_errors: 2 } },
};

const json = (value: unknown) => ({ stdout: JSON.stringify(value) });

describe('disks asked through smartctl', () => {
  it('are exposed as smartctl_exporter exposes them', async () => {
    const asked: string[] = [];
    const answers = {
      'smartctl --json --scan': scan(
        ['/dev/sda', 'sat'],
        ['/dev/nvme0', 'nvme'],
        ['/dev/bus/0', 'megaraid,3'],
      ),
      '…/dev/sda': json(ATA),
      '…/dev/nvme0': json(NVME),
      '…/dev/bus/0': json(SCSI),
    };
    const host = hostOf(newSmart(playBack(answers, asked)));
    const text = await host.collect(NOW);
    expect(host.failures).toEqual([]);
    expect(text).toBe(`# TYPE node_scrape_collector_success gauge
node_scrape_collector_success{collector="smart"} 1
# TYPE node_smart_device_asleep gauge
node_smart_device_asleep{device="bus_0_megaraid_3"} 0
node_smart_device_asleep{device="nvme0"} 0
node_smart_device_asleep{device="sda"} 0
# TYPE smartctl_device gauge
smartctl_device{ata_additional_product_id="unknown",device="bus_0_megaraid_3",interface="megaraid,3",model_family="unknown",model_name="Array disk",protocol="SCSI"} 1
smartctl_device{ata_additional_product_id="unknown",device="nvme0",interface="nvme",model_family="unknown",model_name="Flash",protocol="NVMe"} 1
smartctl_device{ata_additional_product_id="unknown",device="sda",firmware_version="1.0",interface="sat",model_family="unknown",model_name="Spinner 4T",protocol="ATA",serial_number="S1"} 1
# TYPE smartctl_device_attribute gauge
smartctl_device_attribute{attribute_flags_long="prefailure,updated_online",attribute_flags_short="PO--CK",attribute_id="5",attribute_name="Reallocated_Sector_Ct",attribute_value_type="raw",device="sda"} 3
smartctl_device_attribute{attribute_flags_long="prefailure,updated_online",attribute_flags_short="PO--CK",attribute_id="5",attribute_name="Reallocated_Sector_Ct",attribute_value_type="thresh",device="sda"} 140
smartctl_device_attribute{attribute_flags_long="prefailure,updated_online",attribute_flags_short="PO--CK",attribute_id="5",attribute_name="Reallocated_Sector_Ct",attribute_value_type="value",device="sda"} 200
smartctl_device_attribute{attribute_flags_long="prefailure,updated_online",attribute_flags_short="PO--CK",attribute_id="5",attribute_name="Reallocated_Sector_Ct",attribute_value_type="worst",device="sda"} 199
# TYPE smartctl_device_available_spare counter
smartctl_device_available_spare{device="nvme0"} 20
# TYPE smartctl_device_block_size gauge
smartctl_device_block_size{blocks_type="logical",device="sda"} 512
# TYPE smartctl_device_bytes_read counter
smartctl_device_bytes_read{device="bus_0_megaraid_3"} 1500000000
smartctl_device_bytes_read{device="nvme0"} 5120000
# TYPE smartctl_device_capacity_blocks gauge
smartctl_device_capacity_blocks{device="sda"} 8
# TYPE smartctl_device_capacity_bytes gauge
smartctl_device_capacity_bytes{device="sda"} 4096
# TYPE smartctl_device_critical_warning counter
smartctl_device_critical_warning{device="nvme0"} 4
# TYPE smartctl_device_erc_seconds gauge
smartctl_device_erc_seconds{device="sda",op_type="read"} 7
# TYPE smartctl_device_error_log_count gauge
smartctl_device_error_log_count{device="sda",error_log_type="summary"} 2
# TYPE smartctl_device_interface_speed gauge
smartctl_device_interface_speed{device="sda",speed_type="max"} 6000000000
# TYPE smartctl_device_media_errors counter
smartctl_device_media_errors{device="nvme0"} 1
# TYPE smartctl_device_percentage_used counter
smartctl_device_percentage_used{device="nvme0"} 91
# TYPE smartctl_device_power_cycle_count counter
smartctl_device_power_cycle_count{device="sda"} 9
# TYPE smartctl_device_power_on_seconds counter
smartctl_device_power_on_seconds{device="sda"} 7260
# TYPE smartctl_device_rotation_rate gauge
smartctl_device_rotation_rate{device="sda"} 7200
# TYPE smartctl_device_smart_status gauge
smartctl_device_smart_status{device="nvme0"} 0
smartctl_device_smart_status{device="sda"} 1
# TYPE smartctl_device_smartctl_exit_status gauge
smartctl_device_smartctl_exit_status{device="sda"} 64
# TYPE smartctl_device_temperature gauge
smartctl_device_temperature{device="sda",temperature_type="current"} 31
# TYPE smartctl_devices gauge
smartctl_devices 3
# TYPE smartctl_read_total_uncorrected_errors gauge
smartctl_read_total_uncorrected_errors{device="bus_0_megaraid_3"} 2
# TYPE smartctl_scsi_grown_defect_list gauge
smartctl_scsi_grown_defect_list{device="bus_0_megaraid_3"} 7
`);
    expect(asked[1]).toBe(
      'smartctl --json --info --health --attributes --tolerance=verypermissive --nocheck=standby ' +
        '--format=brief --log=error --device=sat /dev/sda',
    );
    // Between two askings the values are repeated.
    expect(await host.collect(NOW + 1000)).toBe(text);
    expect(asked).toHaveLength(4);
    host.close();
  });

  it('are left asleep, with the values they had', async () => {
    const answers = {
      'smartctl --json --scan': scan(['/dev/sda', 'sat']),
      '…/dev/sda': json(ATA) as object,
    };
    const host = hostOf(newSmart(playBack(answers)));
    await host.collect(NOW);
    answers['…/dev/sda'] = {
      code: 2,
      ...json({
        smartctl: { exit_status: 2, messages: [{ string: 'Device is in STANDBY mode, exit(2)' }] },
      }),
    };
    const text = await host.collect(NOW + TEN_MINUTES);
    expect(host.failures).toEqual([]);
    expect(text).toContain('node_smart_device_asleep{device="sda"} 1');
    expect(text).toContain(
      'smartctl_device_temperature{device="sda",temperature_type="current"} 31',
    );
    host.close();
  });

  it('that do not answer are told and spoil no other', async () => {
    const refused = {
      smartctl: { exit_status: 2, messages: [{ string: 'Smartctl open device: /dev/sdb failed' }] },
    };
    const host = hostOf(
      newSmart(
        playBack({
          'smartctl --json --scan': scan(
            ['/dev/sda', 'sat'],
            ['/dev/sdb', 'sat'],
            ['/dev/sdc', 'sat'],
          ),
          '…/dev/sda': new Error('run smartctl: it took more than 30 s'),
          '…/dev/sdb': json(refused),
          '…/dev/sdc': json({ ...ATA, device: { name: '/dev/sdc', type: 'sat' } }),
        }),
      ),
    );
    const text = await host.collect(NOW);
    expect(text).toContain('smartctl_device_smart_status{device="sdc"} 1');
    expect(text).not.toContain('smart_status{device="sda"}');
    expect(host.failures.map(({ message }) => message)).toEqual([
      '/dev/sda: run smartctl: it took more than 30 s; /dev/sdb: Smartctl open device: /dev/sdb failed',
    ]);
    host.close();
  });

  it('are no trouble where we may not ask them', async () => {
    const refused = {
      smartctl: {
        exit_status: 2,
        messages: [{ string: 'Smartctl open device: /dev/sda failed: Permission denied' }],
      },
    };
    const host = hostOf(
      newSmart(
        playBack({
          'smartctl --json --scan': scan(['/dev/sda', 'sat']),
          '…/dev/sda': json(refused),
        }),
      ),
    );
    expect(await host.collect(NOW)).toContain('success{collector="smart"} 0');
    expect(host.failures).toEqual([]);
    host.close();
  });

  it('are chosen by name, and bounded', async () => {
    const asked: string[] = [];
    const host = hostOf(
      newSmart(
        playBack(
          {
            'smartctl --json --scan': scan(
              ['/dev/sda', 'sat'],
              ['/dev/sdb', 'sat'],
              ['/dev/sdc', 'sat'],
            ),
            smartctl: json(ATA),
          },
          asked,
        ),
      ),
      { collectors: { smart: { options: { deviceExclude: '^sda$', maxDevices: 1 } } } },
    );
    await host.collect(NOW);
    expect(asked.slice(1).map(line => line.split(' ').at(-1))).toEqual(['/dev/sdb']);
    host.close();
  });
});

describe('without smartctl', () => {
  it('there is no data and no failure', async () => {
    const host = hostOf(newSmart(playBack({})));
    expect(await host.collect(NOW)).toBe(
      '# TYPE node_scrape_collector_success gauge\n' +
        'node_scrape_collector_success{collector="smart"} 0\n',
    );
    expect(host.failures).toEqual([]);
    host.close();
  });

  it('NVMe disks are asked through nvme, under the same names', async () => {
    const root = mkdtempSync(join(tmpdir(), 'outpost-nvme-'));
    mkdirSync(join(root, 'class/nvme/nvme1'), { recursive: true });
    writeFileSync(join(root, 'class/nvme/nvme1/model'), 'Flash\n');
    const report = {
      critical_warning: { value: 2, temp_threshold: 1 },
      temperature: 310,
      avail_spare: 100,
      percent_used: 3,
      power_on_hours: 5,
      data_units_written: 2,
    };
    const host = hostOf(
      newSmart(playBack({ 'nvme smart-log --output-format=json /dev/nvme1': json(report) })),
      { roots: { sysfs: root } },
    );
    const text = await host.collect(NOW);
    expect(text.split('\n').filter(line => line.startsWith('smartctl_device_'))).toEqual([
      'smartctl_device_available_spare{device="nvme1"} 100',
      'smartctl_device_bytes_written{device="nvme1"} 1024000',
      'smartctl_device_critical_warning{device="nvme1"} 2',
      'smartctl_device_percentage_used{device="nvme1"} 3',
      'smartctl_device_power_on_seconds{device="nvme1"} 18000',
      'smartctl_device_smart_status{device="nvme1"} 0',
      'smartctl_device_temperature{device="nvme1",temperature_type="current"} 37',
    ]);
    host.close();
    rmSync(root, { recursive: true });
  });
});
