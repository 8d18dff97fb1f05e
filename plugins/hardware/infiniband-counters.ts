// The counters of InfiniBand ports: file below the port's directory, metric, help. Data is counted in words
// of four bytes.

/** One counter. */
export interface PortCounter {
  readonly file: string;
  /** Without `node_infiniband_` and `_total`. */
  readonly name: string;
  readonly help: string;
  readonly times: number;
}

const WORD_BYTES = 4;

const COUNTERS: readonly (readonly [string, string, string])[] = [
  [
    'excessive_buffer_overrun_errors',
    'excessive_buffer_overrun_errors',
    'Buffer overruns in too many periods in a row.',
  ],
  ['link_downed', 'link_downed', 'Times the link went down for good.'],
  ['link_error_recovery', 'link_error_recovery', 'Times the link recovered from an error.'],
  [
    'local_link_integrity_errors',
    'local_link_integrity_errors',
    'Times local errors passed their threshold.',
  ],
  ['multicast_rcv_packets', 'multicast_packets_received', 'Multicast packets received.'],
  ['multicast_xmit_packets', 'multicast_packets_transmitted', 'Multicast packets sent.'],
  [
    'port_rcv_constraint_errors',
    'port_constraint_errors_received',
    'Packets received that a switch port discarded.',
  ],
  [
    'port_xmit_constraint_errors',
    'port_constraint_errors_transmitted',
    'Packets a switch port did not send.',
  ],
  ['port_rcv_data', 'port_data_received_bytes', 'Bytes received.'],
  ['port_xmit_data', 'port_data_transmitted_bytes', 'Bytes sent.'],
  ['port_rcv_discards', 'port_discards_received', 'Packets received and discarded.'],
  ['port_xmit_discards', 'port_discards_transmitted', 'Packets discarded instead of sent.'],
  ['port_rcv_errors', 'port_errors_received', 'Packets received with an error.'],
  ['port_rcv_packets', 'port_packets_received', 'Packets received.'],
  ['port_xmit_packets', 'port_packets_transmitted', 'Packets sent.'],
  ['port_xmit_wait', 'port_transmit_wait', 'Ticks in which data waited and none was sent.'],
  ['unicast_rcv_packets', 'unicast_packets_received', 'Unicast packets received.'],
  ['unicast_xmit_packets', 'unicast_packets_transmitted', 'Unicast packets sent.'],
  [
    'port_rcv_remote_physical_errors',
    'port_receive_remote_physical_errors',
    'Packets received that were marked as bad on their way.',
  ],
  [
    'port_rcv_switch_relay_errors',
    'port_receive_switch_relay_errors',
    'Packets the switch could not pass on.',
  ],
  ['symbol_error', 'symbol_error', 'Minor errors of the lanes.'],
  ['VL15_dropped', 'vl15_dropped', 'Management packets dropped for want of room.'],
];

const EXTENDED: readonly (readonly [string, string, string])[] = [
  [
    'port_multicast_rcv_packets',
    'legacy_multicast_packets_received',
    'Multicast packets received.',
  ],
  [
    'port_multicast_xmit_packets',
    'legacy_multicast_packets_transmitted',
    'Multicast packets sent.',
  ],
  ['port_rcv_data_64', 'legacy_data_received_bytes', 'Bytes received.'],
  ['port_rcv_packets_64', 'legacy_packets_received', 'Packets received.'],
  ['port_unicast_rcv_packets', 'legacy_unicast_packets_received', 'Unicast packets received.'],
  ['port_unicast_xmit_packets', 'legacy_unicast_packets_transmitted', 'Unicast packets sent.'],
  ['port_xmit_data_64', 'legacy_data_transmitted_bytes', 'Bytes sent.'],
  ['port_xmit_packets_64', 'legacy_packets_transmitted', 'Packets sent.'],
];

const HARDWARE: readonly (readonly [string, string, string])[] = [
  ['duplicate_request', 'duplicate_requests_packets', 'Requests received a second time.'],
  ['implied_nak_seq_err', 'implied_nak_seq_errors', 'Acknowledgements out of sequence.'],
  [
    'local_ack_timeout_err',
    'local_ack_timeout_errors',
    'Times an acknowledgement did not come in time.',
  ],
  ['np_cnp_sent', 'np_cnp_packets_sent', 'Congestion notifications sent.'],
  [
    'np_ecn_marked_roce_packets',
    'np_ecn_marked_roce_packets_received',
    'RoCE packets received that were marked for congestion.',
  ],
  ['out_of_buffer', 'out_of_buffer_drops', 'Packets dropped for want of receive buffers.'],
  ['out_of_sequence', 'out_of_sequence_packets_received', 'Packets received out of sequence.'],
  ['packet_seq_err', 'packet_sequence_errors', 'Sequence errors told by the other side.'],
  ['req_cqe_error', 'req_cqes_errors', 'Requests that completed with an error.'],
  ['req_cqe_flush_error', 'req_cqes_flush_errors', 'Requests that completed by being flushed.'],
  ['req_remote_access_errors', 'req_remote_access_errors', 'Requests refused for remote access.'],
  [
    'req_remote_invalid_request',
    'req_remote_invalid_request_errors',
    'Requests the other side found invalid.',
  ],
  ['resp_cqe_error', 'resp_cqes_errors', 'Answers that completed with an error.'],
  ['resp_cqe_flush_error', 'resp_cqes_flush_errors', 'Answers that completed by being flushed.'],
  ['resp_local_length_error', 'resp_local_length_errors', 'Answers of a wrong length.'],
  ['resp_remote_access_errors', 'resp_remote_access_errors', 'Answers refused for remote access.'],
  ['rnr_nak_retry_err', 'rnr_nak_retry_packets_received', 'Receiver-not-ready packets received.'],
  ['roce_adp_retrans', 'roce_adp_retransmits', 'Adaptive retransmissions.'],
  ['roce_adp_retrans_to', 'roce_adp_retransmits_timeout', 'Timeouts by adaptive retransmission.'],
  ['roce_slow_restart', 'roce_slow_restart_used', 'Times slow restart was used.'],
  ['roce_slow_restart_cnps', 'roce_slow_restart_cnps', 'Congestion notifications of slow restart.'],
  ['roce_slow_restart_trans', 'roce_slow_restart', 'Times slow restart began.'],
  ['rp_cnp_handled', 'rp_cnp_packets_handled', 'Congestion notifications acted upon.'],
  ['rp_cnp_ignored', 'rp_cnp_ignored_packets_received', 'Congestion notifications ignored.'],
  ['rx_atomic_requests', 'rx_atomic_requests', 'Atomic requests received.'],
  ['rx_dct_connect', 'rx_dct_connect_requests', 'Connection requests received.'],
  ['rx_read_requests', 'rx_read_requests', 'Read requests received.'],
  ['rx_write_requests', 'rx_write_requests', 'Write requests received.'],
  ['rx_icrc_encapsulated', 'rx_icrc_encapsulated_errors', 'RoCE packets with a wrong checksum.'],
];

/** All counters of a port; which of them there are depends on adapter and driver. */
export const PORT_COUNTERS: readonly PortCounter[] = (
  [
    ['counters', COUNTERS],
    ['counters_ext', EXTENDED],
    ['hw_counters', HARDWARE],
  ] as const
).flatMap(([directory, counters]) =>
  counters.map(([file, name, help]) => {
    const times = /_data(_64)?$/.test(file) ? WORD_BYTES : 1;
    return { file: `${directory}/${file}`, name, help, times };
  }),
);
