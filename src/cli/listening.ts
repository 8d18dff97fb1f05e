// The addresses a mode listens on: the warning where they are open to others, the line that says they are
// open, and the flag to change where one cannot be had.

import { OutpostError } from '../lifecycle/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Address, hostPort, isLoopback } from './flags.ts';

/** One address with the flag that sets it. */
export interface Listener {
  readonly flag: string;
  readonly protocol: 'http' | 'grpc';
  readonly address: Address;
}

/** Without TLS and authentication, other hosts are let in only by an operator who knows it. */
export function warnIfOpen(listeners: readonly Listener[], logger: Logger): void {
  for (const { flag, address } of listeners) {
    if (isLoopback(address.host)) continue;
    const fix = `${flag} ${hostPort({ ...address, host: '127.0.0.1' })}`;
    logger.warn(
      `listening beyond this host without TLS or authentication; use ${fix} and put a proxy in front`,
      { address: hostPort(address) },
    );
  }
}

/** Logs the address with the port that was got. */
export function logListening({ protocol, address }: Listener, port: number, logger: Logger): void {
  logger.info('listening', { protocol, address: hostPort({ ...address, port }) });
}

/** Adds to an error that names one of the addresses the flag that changes it. */
export function namingFlag(thrown: unknown, listeners: readonly Listener[]): OutpostError {
  const error = OutpostError.from(thrown);
  const meant = listeners.find(
    ({ protocol, address }) =>
      error.message.startsWith(`listen for ${protocol === 'http' ? 'HTTP' : 'gRPC'} on `) &&
      error.message.includes(hostPort(address)),
  );
  if (!meant) return error;
  const message = `${error.message}; choose another address with ${meant.flag}`;
  return new OutpostError(error.code, message, { cause: error });
}
