// The NFS server, from /proc/net/rpc/nfsd. Procedures are called as node_exporter calls them.

import { defineCollector } from '../sdk/collector.ts';
import type { Metrics } from '../sdk/metrics.ts';
import { requirePath } from './absence.ts';
import { type LabelledLine, reportLines } from './labelled-lines.ts';
import { V2_PROCEDURES, V3_PROCEDURES } from './nfs-procedures.ts';

/** Operations of NFS 4 by number from 3 on; an underscore stands for one that is not exposed. */
const V4_OPERATIONS =
  'Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock Lockt Locku Lookup ' +
  'LookupRoot Nverify Open OpenAttr OpenConfirm OpenDgrd PutFH _ _ Read ReadDir ReadLink Remove ' +
  'Rename Renew RestoreFH SaveFH SecInfo SetAttr SetClientID SetClientIDConfirm Verify Write ' +
  'RelLockOwner';
/** The histogram of the read-ahead cache, which is not exposed. */
const CACHE_DEPTHS: null[] = Array.from({ length: 10 }, () => null);

export const nfsd = defineCollector({
  name: 'nfsd',
  help: 'Requests, caches, threads and errors of the NFS server.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const lines = [...serverLines(metrics), ...requestLines(metrics)];
    const file = files.proc('net/rpc/nfsd');
    const check = requirePath(file.path, 'the NFS server is not loaded');
    return time => {
      check(time);
      reportLines(file.read(), lines);
    };
  },
});

function serverLines(metrics: Metrics): LabelledLine[] {
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `node_nfsd_${name}_total`, help }).with();
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `node_nfsd_${name}`, help }).with();
  const packets = metrics.counter({
    name: 'node_nfsd_packets_total',
    help: 'Packets received by protocol.',
    labels: ['proto'],
  });
  const errors = metrics.counter({
    name: 'node_nfsd_rpc_errors_total',
    help: 'RPCs that were wrong, by how.',
    labels: ['error'],
  });
  return [
    {
      label: 'rc',
      columns: [
        counter('reply_cache_hits', 'Answers from the reply cache: the client had lost them.'),
        counter('reply_cache_misses', 'Operations whose answers were put into the reply cache.'),
        counter('reply_cache_nocache', 'Operations whose answers need no cache.'),
      ],
    },
    { label: 'fh', columns: [counter('file_handles_stale', 'File handles that were stale.')] },
    {
      label: 'io',
      columns: [
        counter('disk_bytes_read', 'Bytes read from disks.'),
        counter('disk_bytes_written', 'Bytes written to disks.'),
      ],
    },
    { label: 'th', columns: [gauge('server_threads', 'Threads of the server.')] },
    {
      label: 'ra',
      columns: [
        gauge('read_ahead_cache_size_blocks', 'Size of the read-ahead cache.'),
        ...CACHE_DEPTHS,
        counter('read_ahead_cache_not_found', 'Lookups the read-ahead cache had nothing for.'),
      ],
    },
    {
      label: 'net',
      skip: 1,
      columns: [
        packets.with('udp'),
        packets.with('tcp'),
        counter('connections', 'TCP connections accepted.'),
      ],
    },
    {
      label: 'rpc',
      columns: [
        counter('server_rpcs', 'RPCs received.'),
        null,
        errors.with('fmt'),
        errors.with('auth'),
        errors.with('cInt'),
      ],
    },
  ];
}

function requestLines(metrics: Metrics): LabelledLine[] {
  const requests = metrics.counter({
    name: 'node_nfsd_requests_total',
    help: 'Requests by protocol version and method.',
    labels: ['proto', 'method'],
  });
  const methods = (proto: string, names: string) =>
    names
      .split(' ')
      // Null is a ping, not a request.
      .map(name => (name === '_' || name === 'Null' ? null : requests.with(proto, name)));
  return [
    { label: 'proc2', skip: 1, columns: methods('2', V2_PROCEDURES) },
    { label: 'proc3', skip: 1, columns: methods('3', V3_PROCEDURES) },
    { label: 'proc4ops', skip: 4, columns: methods('4', V4_OPERATIONS) },
    { label: 'wdeleg_getattr', columns: [requests.with('4', 'WdelegGetattr')] },
  ];
}
