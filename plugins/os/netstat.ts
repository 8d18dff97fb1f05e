// Counters of the network protocols, untyped as node_exporter has them. /proc/net/netstat and snmp are
// pairs of lines, names above values; snmp6 is a name and a value a line.

import type { ByteScanner } from '../sdk/byte-scanner.ts';
import { defineCollector } from '../sdk/collector.ts';
import type { Series } from '../sdk/metrics.ts';
import { pattern } from '../sdk/options.ts';
import { RowCache } from '../sdk/row-cache.ts';

const FIELDS =
  '^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|' +
  'TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|' +
  'Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab|MaxConn)|' +
  'Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$';

/** A protocol's columns: found by name at each heading, then used for the values below it. */
interface Protocol {
  readonly fields: RowCache<Series | null>;
  readonly columns: (Series | null)[];
}

export const netstat = defineCollector({
  name: 'netstat',
  help: 'Counters of IP, ICMP, TCP and UDP.',
  defaultEnabled: true,
  options: { fields: pattern('Counters to expose, as in Tcp_InSegs.', FIELDS) },
  open({ files, metrics, options }) {
    const field = (protocol: string, name: string): Series | null => {
      const full = `${protocol}_${name}`;
      if (options.fields !== null && !options.fields.test(full)) return null;
      return metrics.untyped({ name: `node_netstat_${full}`, help: `Counter ${full}.` }).with();
    };
    const tables = ['net/netstat', 'net/snmp'].map(path => ({
      file: files.proc(path),
      protocols: new RowCache<Protocol>(protocol => ({
        fields: new RowCache(name => field(protocol, name)),
        columns: [],
      })),
    }));
    const six = files.proc('net/snmp6');
    const sixFields = new RowCache<Series | null>(name => {
      const [, protocol, rest] = /^(.*?6)(.*)$/.exec(name) ?? [];
      return protocol === undefined ? null : field(protocol, rest!);
    });
    return () => {
      for (const { file, protocols } of tables) reportPairs(file.read(), protocols);
      // Without IPv6 there is no such file.
      const scanner = six.readIfPresent();
      for (let position = 0; scanner?.line(); position++) {
        if (scanner.word()) sixFields.at(position, scanner)?.set(scanner.number());
      }
      sixFields.sweep();
    };
  },
});

function reportPairs(scanner: ByteScanner, protocols: RowCache<Protocol>): void {
  for (let position = 0; scanner.line(); position++) {
    if (!scanner.wordBefore(':')) continue;
    const { fields, columns } = protocols.at(position, scanner);
    columns.length = 0;
    while (scanner.word()) columns.push(fields.at(columns.length, scanner));
    fields.sweep();
    if (!scanner.line() || !scanner.wordBefore(':')) break;
    for (const series of columns) {
      if (series === null) scanner.skip(1);
      else series.set(scanner.number());
    }
  }
  protocols.sweep();
}
