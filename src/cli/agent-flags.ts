// The flags that `agent` and `up` share.

import { type Command, Option } from 'commander';
import { type EngineFlags, withEngineFlags } from './engine-flags.ts';
import {
  type Address,
  addressFlag,
  durationFlag,
  fileOption,
  intervalFlag,
  labelFlag,
  option,
  regexFlag,
  sizeFlag,
  textFlag,
  withLogFlags,
} from './flags.ts';
import type { CommonFlags } from './process.ts';
import { type RemoteReadFlags, withRemoteReadFlags } from './remote-read-flags.ts';

/** As commander names them; undefined where not given. */
export interface AgentFlags extends CommonFlags, EngineFlags, RemoteReadFlags {
  readonly 'config.file'?: string;
  readonly dataDir: string;
  readonly httpAddress: Address;
  readonly grpcAddress: Address;
  readonly collectInterval?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly 'storage.retention.time'?: number;
  readonly 'storage.retention.size'?: number;
  readonly 'storage.minFreeBytes'?: number;
  readonly 'storage.coldAfter'?: number;
  readonly plugins: boolean;
  readonly 'plugins.dir'?: string;
  readonly 'config.watch'?: boolean;
  readonly selfMetrics: boolean;
  readonly snapshotOnShutdown: boolean;
  readonly 'web.cors.origin'?: string;
  readonly 'web.enableRemoteWriteReceiver'?: boolean;
  readonly 'web.enableAdminApi'?: boolean;
  readonly 'web.enableLifecycle'?: boolean;
}

/** Defaults of what the configuration file may set too, as a user writes them. */
export const AGENT_DEFAULTS = {
  interval: '15s',
  retentionTime: '15d',
  retentionSize: '0',
  coldAfter: '0',
} as const;

/** Adds the flags. */
export function withAgentFlags(command: Command): Command {
  withListenFlags(withCollectFlags(command));
  return withLogFlags(withRemoteReadFlags(withEngineFlags(command)));
}

function withCollectFlags(command: Command): Command {
  return command
    .optionsGroup('Collect and keep:')
    .addOption(
      new Option('--config.file <path>', 'configuration file; flags win over it').argParser(
        textFlag,
      ),
    )
    .option('--config.watch', 'read configuration and manifests again when they change')
    .addOption(
      fileOption('--collect-interval <duration>', 'how often collectors run', {
        parse: intervalFlag,
        default: AGENT_DEFAULTS.interval,
      }),
    )
    .option('--label <name=value>', 'external label of this agent; repeat for more', labelFlag)
    .option('--no-plugins', 'start no plugins')
    .addOption(
      new Option(
        '--plugins.dir <path>',
        'directory of plugins, each a folder with plugin.yaml, or a .yaml file',
      ).argParser(textFlag),
    )
    .option('--no-self-metrics', 'do not store the agent’s own metrics')
    .option(
      '--no-snapshot-on-shutdown',
      'do not write what is in memory to disk at the end, for a faster start',
    )
    .addOption(
      option('--data-dir <path>', 'where samples are kept', { parse: textFlag, default: './data' }),
    )
    .addOption(
      fileOption(
        '--storage.retention.time <duration>',
        'how long samples are kept; 0 is for ever',
        {
          parse: durationFlag,
          default: AGENT_DEFAULTS.retentionTime,
        },
      ),
    )
    .addOption(
      fileOption('--storage.retention.size <size>', 'most bytes kept; 0 is no limit', {
        parse: sizeFlag,
        default: AGENT_DEFAULTS.retentionSize,
      }),
    )
    .addOption(
      new Option(
        '--storage.min-free-bytes <size>',
        'room kept free on the disk: the oldest blocks are deleted early where there is less; 0 is never',
      )
        .argParser(sizeFlag)
        .default(undefined, '128MiB, at most a twentieth of the disk'),
    )
    .addOption(
      fileOption(
        '--storage.cold-after <duration>',
        'age from which blocks are kept in a denser form that Prometheus cannot read; 0 is never',
        { parse: durationFlag, default: AGENT_DEFAULTS.coldAfter },
      ),
    );
}

function withListenFlags(command: Command): Command {
  return command
    .optionsGroup('Listen:')
    .addOption(
      option('--http-address <host:port>', 'HTTP address', {
        parse: addressFlag,
        default: '127.0.0.1:9190',
      }),
    )
    .addOption(
      option('--grpc-address <host:port>', 'gRPC address of the StoreAPI', {
        parse: addressFlag,
        default: '127.0.0.1:9191',
      }),
    )
    .option('--web.enable-remote-write-receiver', 'take remote write at /api/v1/write')
    .option('--web.enable-lifecycle', 'allow reloading and ending at /-/reload and /-/quit')
    .option('--web.enable-admin-api', 'allow snapshots and deletions at /api/v1/admin/tsdb/')
    .addOption(
      new Option('--web.cors.origin <regex>', 'origins whose pages may read answers').argParser(
        regexFlag,
      ),
    );
}
