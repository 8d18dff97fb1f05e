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

/** The series of a heading's columns; headings change with the kernel only. */
type Headings = RowCache<readonly (Series | null)[]>;

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
      protocols: new RowCache<Headings>(
        protocol =>
          new RowCache<readonly (Series | null)[]>(heading =>
            heading.split(/\s+/).map(name => field(protocol, name)),
          ),
      ),
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

function reportPairs(scanner: ByteScanner, protocols: RowCache<Headings>): void {
  for (let position = 0; scanner.line(); position++) {
    if (!scanner.wordBefore(':')) continue;
    const headings = protocols.at(position, scanner);
    const columns = scanner.restOfLine() ? headings.at(0, scanner) : [];
    headings.sweep();
    if (!scanner.line() || !scanner.wordBefore(':')) break;
    for (const series of columns) {
      if (!scanner.word()) break;
      series?.set(scanner.value());
    }
  }
  protocols.sweep();
}
