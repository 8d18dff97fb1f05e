// Ports of Fibre Channel adapters (/sys/class/fc_host).

import { defineCollector } from '../sdk/collector.ts';
import { collectDevices } from './device-readings.ts';

const DIRECTORY = 'class/fc_host';
/** What an adapter says of a counter it does not have: all bits of 64. */
const NO_COUNTER = 2 ** 64;

/** File, metric, help. */
const COUNTERS: readonly (readonly [string, string, string])[] = [
  ['dumped_frames', 'dumped_frames_total', 'Frames dropped for want of buffers.'],
  ['error_frames', 'error_frames_total', 'Frames with errors.'],
  ['invalid_crc_count', 'invalid_crc_total', 'Frames with a wrong checksum.'],
  ['rx_frames', 'rx_frames_total', 'Frames received.'],
  ['rx_words', 'rx_words_total', 'Words received.'],
  ['tx_frames', 'tx_frames_total', 'Frames sent.'],
  ['tx_words', 'tx_words_total', 'Words sent.'],
  [
    'seconds_since_last_reset',
    'seconds_since_last_reset_total',
    'Time since the port was reset last.',
  ],
  ['invalid_tx_word_count', 'invalid_tx_words_total', 'Invalid words seen.'],
  ['link_failure_count', 'link_failure_total', 'Times the link failed.'],
  ['loss_of_sync_count', 'loss_of_sync_total', 'Times synchronisation was lost.'],
  ['loss_of_signal_count', 'loss_of_signal_total', 'Times the signal was lost.'],
  ['nos_count', 'nos_total', 'Not-operational sequences received.'],
  ['fcp_packet_aborts', 'fcp_packet_aborts_total', 'Packets aborted.'],
];

/** Labels, in order; those with `hex` are written as 0x… and exposed without it. */
const TEXTS = [
  { label: 'speed' },
  { label: 'port_state' },
  { label: 'port_type' },
  { label: 'port_id', hex: true },
  { label: 'port_name', hex: true },
  { label: 'fabric_name', hex: true },
  { label: 'symbolic_name' },
  { label: 'supported_classes' },
  { label: 'supported_speeds' },
  { label: 'dev_loss_tmo' },
] as const;

export const fibrechannel = defineCollector({
  name: 'fibrechannel',
  help: 'Traffic and errors of Fibre Channel ports.',
  defaultEnabled: true,
  open({ files, metrics, clock }) {
    const info = metrics.gauge({
      name: 'node_fibrechannel_info',
      help: 'Identity and state of the port; always 1.',
      labels: ['fc_host', ...TEXTS.map(({ label }) => label)],
    });
    const families = COUNTERS.map(([file, name, help]) => ({
      file,
      family: metrics.counter({ name: `node_fibrechannel_${name}`, help, labels: ['fc_host'] }),
    }));
    return collectDevices({
      files,
      clock,
      directories: [DIRECTORY],
      mustExist: true,
      find(findings) {
        for (const host of files.list(`${files.roots.sysfs}/${DIRECTORY}`)) {
          const path = `${DIRECTORY}/${host}`;
          const texts = TEXTS.map(({ label, ...how }) =>
            findings.text(`${path}/${label}`, 'hex' in how ? text => text.slice(2) : undefined),
          );
          findings.info(info, [{ text: host }, ...texts]);
          const state = texts[1]!;
          const counters = families.map(({ file, family }) => ({
            text: findings.text(`${path}/statistics/${file}`),
            series: family.with(host),
          }));
          findings.each(() => {
            // A port that knows nothing of itself says nonsense for its counters.
            const known = state.text !== 'Unknown';
            for (const { text, series } of counters) {
              const value = known ? parseCounter(text.read()) : 0;
              if (!Number.isNaN(value)) series.set(value);
            }
          });
        }
      },
    });
  },
});

function parseCounter(text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  return value === NO_COUNTER ? Number.NaN : value;
}
