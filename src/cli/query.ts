// `outpost query`: PromQL over any number of StoreAPI endpoints.

import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  newQuerier,
  type QuerierOptions,
  type RunningQuerier,
} from '../../federation/query/querier.ts';
import { readConfigFile } from './config-file.ts';
import { apiLimits, type EngineFlags, engineOptions, withEngineFlags } from './engine-flags.ts';
import {
  type Address,
  addressFlag,
  hostPort,
  listFlag,
  option,
  positiveDurationFlag,
  textFlag,
  withLogFlags,
} from './flags.ts';
import { type Listener, logListening, namingFlag, warnIfOpen } from './listening.ts';
import { type CommonFlags, type ProcessContext, runProcess } from './process.ts';
import { QueryConfigSchema } from './query-config.ts';
import { queryLog } from './query-log.ts';
import { runtimeStatus, shownFlags } from './status.ts';
import { buildInfo, packageVersion } from './version.ts';

/** The querier's flags as commander names them; undefined where not given. */
export interface QueryFlags extends CommonFlags, EngineFlags {
  readonly 'config.file'?: string;
  readonly httpAddress: Address;
  readonly grpcAddress: Address;
  readonly endpoint?: readonly string[];
  readonly 'query.replicaLabel'?: readonly string[];
  readonly 'store.responseTimeout': number;
  readonly 'query.activeQueryPath'?: string;
}

/** What a querier is started with. */
export interface QuerierSettings
  extends Pick<
    QuerierOptions,
    | 'endpoints'
    | 'replicaLabels'
    | 'responseTimeoutMs'
    | 'engine'
    | 'journalFile'
    | 'limits'
    | 'status'
  > {
  readonly http: Listener;
  readonly grpc: Listener;
}

/** How long an endpoint may keep silent, as a user writes it. */
export const RESPONSE_TIMEOUT = '30s';

/** Registers the mode. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command('query')
    .description('answer PromQL over the StoreAPI of any number of agents');
  withQueryFlags(command).action(async (flags: QueryFlags) => {
    await runProcess('query', flags, async context => {
      const shown = { ...context, shownFlags: shownFlags(command) };
      return (await startQuerier(querierSettings(flags, shown), shown)).actors;
    });
  });
}

function withQueryFlags(command: Command): Command {
  command
    .optionsGroup('Endpoints:')
    .addOption(
      new Option('--config.file <path>', 'configuration file; flags add to it').argParser(textFlag),
    )
    .option(
      '--endpoint <address>',
      'StoreAPI endpoint: host:port, dns+host:port or unix:/path; repeat for more',
      listFlag,
    )
    .option(
      '--query.replica-label <name>',
      'label that tells replicas apart; repeat for more',
      listFlag,
    )
    .addOption(
      option(
        '--store.response-timeout <duration>',
        'longest silence of an endpoint before its part is given up',
        {
          parse: positiveDurationFlag,
          default: RESPONSE_TIMEOUT,
        },
      ),
    )
    .addOption(
      new Option(
        '--query.active-query-path <folder>',
        'folder of the file that says which queries run, for the time after a crash',
      ).argParser(textFlag),
    )
    .optionsGroup('Listen:')
    .addOption(
      option('--http-address <host:port>', 'HTTP address', {
        parse: addressFlag,
        default: '127.0.0.1:10902',
      }),
    )
    .addOption(
      option('--grpc-address <host:port>', 'gRPC address of the StoreAPI', {
        parse: addressFlag,
        default: '127.0.0.1:10901',
      }),
    );
  return withLogFlags(withEngineFlags(command));
}

/** Flags and configuration file as one. Throws `bad-data`. */
export function querierSettings(flags: QueryFlags, context: ProcessContext): QuerierSettings {
  const file = flags['config.file'];
  const config = file === undefined ? {} : readConfigFile(file, QueryConfigSchema);
  const endpoints = [...(config.endpoints ?? []), ...(flags.endpoint ?? [])];
  if (endpoints.length === 0) {
    context.logger.warn('no endpoints: every answer will be empty; add --endpoint host:9191');
  }
  const log = queryLog(
    {
      flag: flags['query.logFile'],
      configured: config.global?.query_log_file,
      configFile: file,
    },
    context,
  );
  return {
    http: { flag: '--http-address', protocol: 'http', address: flags.httpAddress },
    grpc: { flag: '--grpc-address', protocol: 'grpc', address: flags.grpcAddress },
    endpoints,
    replicaLabels: [...(config.replica_labels ?? []), ...(flags['query.replicaLabel'] ?? [])],
    responseTimeoutMs: flags['store.responseTimeout'],
    engine: { ...engineOptions(flags), ...log },
    limits: apiLimits(flags),
    ...journalOf(flags['query.activeQueryPath']),
    status: runtimeStatus(config, context),
  };
}

function journalOf(folder: string | undefined): { readonly journalFile?: string } {
  return folder === undefined ? {} : { journalFile: join(folder, 'queries.active') };
}

/** Starts a querier to listen; its actors have to be run. Throws OutpostError. */
export async function startQuerier(
  { http, grpc, ...settings }: QuerierSettings,
  { logger, registry, clock }: ProcessContext,
): Promise<RunningQuerier> {
  warnIfOpen([http, grpc], logger);
  try {
    const querier = await newQuerier({
      ...settings,
      httpAddress: http.address,
      grpcAddress: hostPort(grpc.address),
      buildInfo: buildInfo(packageVersion()),
      resolve: async host => (await lookup(host, { all: true })).map(({ address }) => address),
      logger,
      registry,
      clock,
    });
    logListening(http, querier.httpPort, logger);
    logListening(grpc, querier.grpcPort, logger);
    return querier;
  } catch (error) {
    throw namingFlag(error, [http, grpc]);
  }
}
