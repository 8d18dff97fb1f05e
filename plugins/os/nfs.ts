// Calls of the NFS client, from /proc/net/rpc/nfs. Procedures are called as node_exporter calls them.

import { defineCollector } from '../sdk/collector.ts';
import { requirePath } from './absence.ts';
import { reportLines } from './labelled-lines.ts';
import { V2_PROCEDURES, V3_PROCEDURES } from './nfs-procedures.ts';

const V4_PROCEDURES =
  'Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr FsInfo Renew ' +
  'SetClientID SetClientIDConfirm Lock Lockt Locku Access Getattr Lookup LookupRoot Remove Rename ' +
  'Link Symlink Create Pathconf StatFs ReadLink ReadDir ServerCaps DelegReturn GetACL SetACL ' +
  'FsLocations ReleaseLockowner Secinfo FsidPresent ExchangeID CreateSession DestroySession Sequence ' +
  'GetLeaseTime ReclaimComplete GetDeviceInfo LayoutGet LayoutCommit LayoutReturn SecinfoNoName ' +
  'TestStateID FreeStateID GetDeviceList BindConnToSession DestroyClientID Seek Allocate DeAllocate ' +
  'LayoutStats Clone';

export const nfs = defineCollector({
  name: 'nfs',
  help: 'Calls, packets and retransmissions of the NFS client.',
  defaultEnabled: true,
  open({ files, metrics }) {
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `node_nfs_${name}_total`, help }).with();
    const packets = metrics.counter({
      name: 'node_nfs_packets_total',
      help: 'Packets sent and received by protocol.',
      labels: ['protocol'],
    });
    const requests = metrics.counter({
      name: 'node_nfs_requests_total',
      help: 'NFS procedures called.',
      labels: ['proto', 'method'],
    });
    const procedures = (proto: string, methods: string) =>
      methods.split(' ').map(method => requests.with(proto, method));
    const lines = [
      {
        label: 'net',
        skip: 1,
        columns: [
          packets.with('udp'),
          packets.with('tcp'),
          counter('connections', 'TCP connections made.'),
        ],
      },
      {
        label: 'rpc',
        columns: [
          counter('rpcs', 'RPCs made.'),
          counter('rpc_retransmissions', 'RPCs sent again.'),
          counter('rpc_authentication_refreshes', 'Credentials refreshed.'),
        ],
      },
      { label: 'proc2', skip: 1, columns: procedures('2', V2_PROCEDURES) },
      { label: 'proc3', skip: 1, columns: procedures('3', V3_PROCEDURES) },
      { label: 'proc4', skip: 1, columns: procedures('4', V4_PROCEDURES) },
    ];
    const file = files.proc('net/rpc/nfs');
    const check = requirePath(file.path, 'the NFS client is not loaded');
    return time => {
      check(time);
      reportLines(file.read(), lines);
    };
  },
});
