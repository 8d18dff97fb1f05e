// Flags of remote read, by Prometheus' names.

import type { Command } from 'commander';
import type { RemoteReadLimits } from '../remote/read-server.ts';
import { countFlag, option, sizeFlag } from './flags.ts';

/** As commander names them. */
export interface RemoteReadFlags {
  readonly 'storage.remote.readSampleLimit': number;
  readonly 'storage.remote.readConcurrentLimit': number;
  readonly 'storage.remote.readMaxBytesInFrame': number;
}

/** Adds the flags with Prometheus' defaults. */
export function withRemoteReadFlags(command: Command): Command {
  return command
    .addOption(
      option('--storage.remote.read-sample-limit <count>', 'most samples of a remote read', {
        parse: countFlag,
        default: '50000000',
      }),
    )
    .addOption(
      option('--storage.remote.read-concurrent-limit <count>', 'remote reads at one time', {
        parse: countFlag,
        default: '10',
      }),
    )
    .addOption(
      option(
        '--storage.remote.read-max-bytes-in-frame <size>',
        'bytes after which a frame of a streamed remote read ends',
        { parse: sizeFlag, default: '1MB' },
      ),
    );
}

/** The limits that the flags set. */
export function remoteReadLimits(flags: RemoteReadFlags): RemoteReadLimits {
  return {
    samplesMax: flags['storage.remote.readSampleLimit'],
    requestsMax: flags['storage.remote.readConcurrentLimit'],
    frameBytesMax: Math.max(1, flags['storage.remote.readMaxBytesInFrame']),
  };
}
