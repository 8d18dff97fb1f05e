// What smartctl says of a disk, as the metrics that smartctl_exporter makes of it: names, labels, values.

import type { FamilyType } from '../sdk/metrics.ts';
import { entriesAt, listAt, numberAt, textAt, valueAt } from './json-path.ts';

/** One sample; the label "device" comes first. */
export interface SmartSample {
  readonly family: SmartFamily;
  readonly labels: readonly string[];
  readonly value: number;
}

/** A metric about disks. */
export interface SmartFamily {
  readonly name: string;
  readonly type: Extract<FamilyType, 'gauge' | 'counter'>;
  readonly help: string;
  /** Beyond "device". */
  readonly labels: readonly string[];
}

const gauge = (name: string, help: string, ...labels: string[]): SmartFamily => ({
  name: `smartctl_${name}`,
  type: 'gauge',
  help,
  labels,
});
const counter = (name: string, help: string): SmartFamily => ({
  name: `smartctl_${name}`,
  type: 'counter',
  help,
  labels: [],
});

/** Labels of the series that says what a disk is, and where they come from. */
const IDENTITY = [
  ['interface', 'device.type'],
  ['protocol', 'device.protocol'],
  ['model_family', 'model_family'],
  ['model_name', 'model_name'],
  ['serial_number', 'serial_number'],
  ['ata_additional_product_id', 'ata_additional_product_id'],
  ['firmware_version', 'firmware_version'],
  ['ata_version', 'ata_version.string'],
  ['sata_version', 'sata_version.string'],
  ['form_factor', 'form_factor.name'],
  ['scsi_vendor', 'scsi_vendor'],
  ['scsi_product', 'scsi_product'],
  ['scsi_revision', 'scsi_revision'],
  ['scsi_version', 'scsi_version'],
] as const;
/** These are said to be unknown rather than left out. */
const NAMED_UNKNOWN = ['model_family', 'model_name', 'ata_additional_product_id'];

const INFO = gauge(
  'device',
  'Identity of the disk; always 1.',
  ...IDENTITY.map(([label]) => label),
);
const BLOCK_SIZE = gauge('device_block_size', 'Size of a block of the disk.', 'blocks_type');
const SPEED = gauge('device_interface_speed', 'Bits a second of the interface.', 'speed_type');
const ATTRIBUTE = gauge(
  'device_attribute',
  'An attribute as the disk keeps it.',
  'attribute_name',
  'attribute_flags_short',
  'attribute_flags_long',
  'attribute_value_type',
  'attribute_id',
);
const POWER_ON = counter('device_power_on_seconds', 'Time the disk has been powered on.');
const ROTATION = gauge('device_rotation_rate', 'Turns a minute.');
const TEMPERATURE = gauge('device_temperature', 'Degrees Celsius.', 'temperature_type');
const POWER_CYCLES = counter('device_power_cycle_count', 'Times the disk was powered on.');
const STATISTICS = gauge(
  'device_statistics',
  'A statistic as the disk keeps it.',
  'statistic_table',
  'statistic_name',
  'statistic_flags_short',
  'statistic_flags_long',
);
const ERROR_LOG = gauge('device_error_log_count', 'Errors the disk has logged.', 'error_log_type');
const SELF_TESTS = gauge('device_self_test_log_count', 'Self-tests logged.', 'self_test_log_type');
const SELF_TEST_ERRORS = gauge(
  'device_self_test_log_error_count',
  'Self-tests logged that failed.',
  'self_test_log_type',
);
const ERC = gauge('device_erc_seconds', 'Time the disk tries to recover from an error.', 'op_type');

/** Single numbers: metric and path. */
const NUMBERS: readonly (readonly [SmartFamily, string])[] = [
  [gauge('device_smartctl_exit_status', 'Exit status of smartctl.'), 'smartctl.exit_status'],
  [gauge('device_capacity_blocks', 'Capacity in blocks.'), 'user_capacity.blocks'],
  [gauge('device_capacity_bytes', 'Capacity in bytes.'), 'user_capacity.bytes'],
  [gauge('device_nvme_capacity_bytes', 'Capacity of all namespaces.'), 'nvme_total_capacity'],
  [
    gauge('device_state', 'State of the disk; 0 is active, 1 standby, 2 sleep.'),
    'ata_sct_status.device_state',
  ],
  [
    gauge('device_smart_status', 'Whether the disk thinks itself healthy (1).'),
    'smart_status.passed',
  ],
  [gauge('scsi_grown_defect_list', 'Defects that have grown.'), 'scsi_grown_defect_list'],
  ...nvme(),
  ...scsiErrors(),
];

function nvme(): (readonly [SmartFamily, string])[] {
  const log = 'nvme_smart_health_information_log';
  return [
    [
      counter('device_percentage_used', 'Worn part of the disk, in percent.'),
      `${log}.percentage_used`,
    ],
    [
      counter('device_available_spare', 'Spare capacity left, in percent.'),
      `${log}.available_spare`,
    ],
    [
      counter(
        'device_available_spare_threshold',
        'Spare capacity at which the disk warns, in percent.',
      ),
      `${log}.available_spare_threshold`,
    ],
    [
      counter('device_critical_warning', 'Warnings of the controller, as bits.'),
      `${log}.critical_warning`,
    ],
    [
      counter('device_media_errors', 'Errors of data that could not be recovered.'),
      `${log}.media_errors`,
    ],
    [
      counter('device_num_err_log_entries', 'Errors the controller has logged.'),
      `${log}.num_err_log_entries`,
    ],
  ];
}

function scsiErrors(): (readonly [SmartFamily, string])[] {
  const kinds = [
    ['errors_corrected_by_rereads_rewrites', 'errors corrected by trying again'],
    ['errors_corrected_by_eccfast', 'errors corrected at once'],
    ['errors_corrected_by_eccdelayed', 'errors corrected with delay'],
    ['total_uncorrected_errors', 'errors not corrected'],
  ];
  return ['read', 'write'].flatMap(way =>
    kinds.map(
      ([name, help]) =>
        [
          gauge(`${way}_${name}`, `${way}: ${help}.`),
          `scsi_error_counter_log.${way}.${name}`,
        ] as const,
    ),
  );
}

/** Bytes moved, by NVMe in thousands of 512 bytes, by SCSI in gigabytes; 0 of NVMe is "not known". */
const BYTES: readonly (readonly [SmartFamily, string, string])[] = [
  [counter('device_bytes_read', 'Bytes read from the disk.'), 'data_units_read', 'read'],
  [counter('device_bytes_written', 'Bytes written to the disk.'), 'data_units_written', 'write'],
];

/** What all is said of a disk. Values that are missing have no sample. */
export function smartSamples(json: unknown): SmartSample[] {
  const samples: SmartSample[] = [];
  const device = deviceLabel(textAt(json, 'device.name'), textAt(json, 'device.type'));
  const add = (family: SmartFamily, value: number, ...labels: string[]): void => {
    if (!Number.isNaN(value)) samples.push({ family, value, labels: [device, ...labels] });
  };
  add(INFO, 1, ...IDENTITY.map(([label, path]) => identity(json, label, path)));
  for (const [family, path] of NUMBERS) add(family, numberAt(json, path));
  for (const kind of ['logical', 'physical']) {
    add(BLOCK_SIZE, numberAt(json, `${kind}_block_size`), kind);
  }
  for (const kind of ['max', 'current']) {
    const speed = valueAt(json, `interface_speed.${kind}`);
    add(SPEED, numberAt(speed, 'units_per_second') * numberAt(speed, 'bits_per_unit'), kind);
  }
  const hours = numberAt(json, 'power_on_time.hours');
  add(POWER_ON, hours * 3600 + (numberAt(json, 'power_on_time.minutes') || 0) * 60);
  const rotation = numberAt(json, 'rotation_rate');
  if (rotation > 0) add(ROTATION, rotation);
  for (const [kind, value] of entriesAt(json, 'temperature')) add(TEMPERATURE, Number(value), kind);
  const starts = numberAt(json, 'scsi_start_stop_cycle_counter.accumulated_start_stop_cycles');
  const cycles = numberAt(json, 'power_cycle_count');
  add(POWER_CYCLES, Number.isNaN(cycles) ? starts : cycles);
  for (const [family, units, way] of BYTES) {
    const moved = numberAt(json, `nvme_smart_health_information_log.${units}`) * 512_000;
    const scsi = numberAt(json, `scsi_error_counter_log.${way}.gigabytes_processed`) * 1e9;
    add(family, moved > 0 ? moved : scsi);
  }
  addAttributes(json, add);
  addLogs(json, add);
  return samples;
}

type Add = (family: SmartFamily, value: number, ...labels: string[]) => void;

function identity(json: unknown, label: string, path: string): string {
  const text =
    textAt(json, path) || (label === 'model_name' ? textAt(json, 'scsi_model_name') : '');
  return text || (NAMED_UNKNOWN.includes(label) ? 'unknown' : '');
}

function addAttributes(json: unknown, add: Add): void {
  for (const attribute of listAt(json, 'ata_smart_attributes.table')) {
    const name = textAt(attribute, 'name');
    const id = String(valueAt(attribute, 'id') ?? '');
    const short = textAt(attribute, 'flags.string');
    const long = flagNames(attribute, [
      'prefailure',
      'updated_online',
      'performance',
      'error_rate',
      'event_count',
      'auto_keep',
    ]);
    for (const kind of ['value', 'worst', 'thresh', 'raw']) {
      const value = numberAt(attribute, kind === 'raw' ? 'raw.value' : kind);
      add(ATTRIBUTE, value, name, short, long, kind, id);
    }
  }
  for (const page of listAt(json, 'ata_device_statistics.pages')) {
    const table = textAt(page, 'name');
    // Several of a vendor's own may have one name.
    if (table === 'Vendor Specific Statistics') continue;
    for (const entry of listAt(page, 'table')) {
      const flags = ['valid', 'normalized', 'supports_dsn', 'monitored_condition_met'];
      const long = flagNames(entry, flags);
      const short = textAt(entry, 'flags.string');
      add(STATISTICS, numberAt(entry, 'value'), table, textAt(entry, 'name'), short, long);
    }
  }
  for (const entry of listAt(json, 'sata_phy_event_counters.table')) {
    const name = textAt(entry, 'name');
    add(STATISTICS, numberAt(entry, 'value'), 'SATA PHY Event Counters', name, 'V---', 'valid');
  }
}

function addLogs(json: unknown, add: Add): void {
  for (const [kind, log] of entriesAt(json, 'ata_smart_error_log')) {
    add(ERROR_LOG, numberAt(log, 'count'), kind);
  }
  for (const [kind, log] of entriesAt(json, 'ata_smart_self_test_log')) {
    add(SELF_TESTS, numberAt(log, 'count'), kind);
    add(SELF_TEST_ERRORS, numberAt(log, 'error_count_total'), kind);
  }
  for (const [kind, limit] of entriesAt(json, 'ata_sct_erc')) {
    add(ERC, numberAt(limit, 'deciseconds') / 10, kind);
  }
}

function flagNames(entry: unknown, names: readonly string[]): string {
  return names.filter(name => valueAt(entry, `flags.${name}`) === true).join(',');
}

/** A disk's name without /dev; disks behind a controller are told apart by their type. */
export function deviceLabel(path: string, type: string): string {
  const name = path.replace(/^\/dev\/(disk\/by-(id|path)\/)?/, '').replaceAll('/', '_');
  return type.includes(',') ? `${name}_${type.replaceAll(',', '_')}` : name;
}
