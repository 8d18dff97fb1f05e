// What the supervision of every plugin needs, whichever it is.

import type { Clock } from '../../src/lifecycle/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { HostMetrics } from './host-metrics.ts';
import type { HostOffers } from './host-offers.ts';
import type { ProcessTools } from './process-tools.ts';
import type { HostEvent, SampleSink } from './sink.ts';
import type { SocketDirectory } from './socket-directory.ts';
import type { StartGate } from './start-gate.ts';

export interface SupervisorTools {
  readonly sink: SampleSink;
  readonly onEvent: (event: HostEvent) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: HostMetrics;
  readonly sockets: SocketDirectory;
  readonly process: ProcessTools;
  readonly gate: StartGate;
  readonly intervalMs: number;
  /** Null: no events are taken, no questions answered, and no TLS is offered. */
  readonly offers?: HostOffers | null;
  /** How often a plugin's use of memory and CPU is looked at. */
  readonly watchMs?: number;
  readonly handshakeMs?: number;
}
