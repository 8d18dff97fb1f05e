// What a disk is: model, serial, file system, device mapper and ATA features, from its udev properties.

import type { Metrics, Series } from '../sdk/metrics.ts';

/** What is known of one block device. */
export interface DiskIdentity {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  /** True for a disk that turns. */
  readonly rotational: boolean;
  /** udev's device properties by name; empty where there is no udev. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Returns a function from a disk's identity to its series and their values. */
export function newDiskIdentity(
  metrics: Metrics,
): (disk: DiskIdentity) => [series: Series[], values: number[]] {
  const info = metrics.gauge({
    name: 'node_disk_info',
    help: 'Identity of the block device; always 1.',
    labels: [
      'device',
      'major',
      'minor',
      'path',
      'wwn',
      'model',
      'serial',
      'revision',
      'rotational',
    ],
  });
  const fileSystem = metrics.gauge({
    name: 'node_disk_filesystem_info',
    help: 'File system on the block device; always 1.',
    labels: ['device', 'type', 'usage', 'uuid', 'version'],
  });
  const mapper = metrics.gauge({
    name: 'node_disk_device_mapper_info',
    help: 'Device mapper identity of the block device; always 1.',
    labels: ['device', 'name', 'uuid', 'vg_name', 'lv_name', 'lv_layer'],
  });
  const ata = [
    ['ID_ATA_WRITE_CACHE', 'ata_write_cache', 'Whether the ATA disk has a write cache (1).'],
    ['ID_ATA_WRITE_CACHE_ENABLED', 'ata_write_cache_enabled', 'Whether the write cache is on (1).'],
    ['ID_ATA_ROTATION_RATE_RPM', 'ata_rotation_rate_rpm', 'Turns a minute; 0 for an SSD.'],
  ].map(([property, name, help]) => {
    const family = metrics.gauge({ name: `node_disk_${name}`, help: help!, labels: ['device'] });
    return { property: property!, family };
  });
  return ({ name, major, minor, rotational, properties }) => {
    const property = (key: string): string => properties.get(key) ?? '';
    // What is printed on the disk, then what its driver says; virtio disks know only the last.
    const serial =
      property('SCSI_IDENT_SERIAL') || property('ID_SERIAL_SHORT') || property('ID_SERIAL');
    const series = [
      info.with(
        name,
        String(major),
        String(minor),
        property('ID_PATH'),
        property('ID_WWN'),
        property('ID_MODEL'),
        serial,
        property('ID_REVISION'),
        rotational ? '1' : '0',
      ),
    ];
    const fields = (...keys: string[]) => keys.map(property);
    if (property('ID_FS_TYPE') !== '') {
      const [type, usage, uuid, version] = fields(
        'ID_FS_TYPE',
        'ID_FS_USAGE',
        'ID_FS_UUID',
        'ID_FS_VERSION',
      );
      series.push(fileSystem.with(name, type!, usage!, uuid!, version!));
    }
    if (property('DM_NAME') !== '') {
      const [dm, uuid, vg, lv, layer] = fields(
        'DM_NAME',
        'DM_UUID',
        'DM_VG_NAME',
        'DM_LV_NAME',
        'DM_LV_LAYER',
      );
      series.push(mapper.with(name, dm!, uuid!, vg!, lv!, layer!));
    }
    const values = series.map(() => 1);
    for (const { property: key, family } of property('ID_ATA') ? ata : []) {
      const value = Number(properties.get(key) ?? Number.NaN);
      if (Number.isNaN(value)) continue;
      series.push(family.with(name));
      values.push(value);
    }
    return [series, values];
  };
}
