// `outpost query`: PromQL over any number of StoreAPI endpoints.

import { lookup } from 'node:dns/promises';
import type { Command } from 'commander';
import { newQuerier, type RunningQuerier } from '../../federation/query/querier.ts';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';
import { warnIfOpen } from './agent.ts';
import { readConfigFile } from './config-file.ts';
import { type EngineFlags, engineOptions, withEngineFlags } from './engine-flags.ts';
import {
  type Address,
  addressFlag,
  hostPort,
  listFlag,
  positiveDurationFlag,
  withCommonFlags,
} from './flags.ts';
import { type CommonFlags, type ProcessContext, runProcess } from './process.ts';
import { QueryConfigSchema } from './query-config.ts';
import { runtimeStatus } from './status.ts';
import { buildInfo, packageVersion } from './version.ts';

/** The querier's flags as commander names them; undefined where not given. */
export interface QueryFlags extends CommonFlags, EngineFlags {
  readonly 'config.file'?: string;
  readonly httpAddress: Address;
  readonly grpcAddress: Address;
  readonly endpoint?: readonly string[];
  readonly 'query.replicaLabel'?: readonly string[];
  readonly 'store.responseTimeout': number;
}

const RESPONSE_TIMEOUT_MS = 30_000;

/** Registers the mode. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command('query')
    .description('answer PromQL over the StoreAPI of any number of agents');
  withEngineFlags(withCommonFlags(command))
    .option('--config.file <path>', 'configuration file; flags add to it')
    .option('--http-address <host:port>', 'HTTP address (default: 127.0.0.1:10902)', addressFlag, {
      host: '127.0.0.1',
      port: 10_902,
    })
    .option(
      '--grpc-address <host:port>',
      'gRPC address of the StoreAPI (default: 127.0.0.1:10901)',
      addressFlag,
      { host: '127.0.0.1', port: 10_901 },
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
    .option(
      '--store.response-timeout <duration>',
      'longest silence of an endpoint before its part is given up (default: 30s)',
      positiveDurationFlag,
      RESPONSE_TIMEOUT_MS,
    )
    .action(async (flags: QueryFlags) => {
      await runProcess('query', flags, async context => {
        const stopMeasuring = registerProcessMetrics(
          context.registry,
          packageVersion(),
          context.startTime,
        );
        context.signal.addEventListener('abort', stopMeasuring, { once: true });
        return (await startQuerier(flags, context)).actors;
      });
    });
}

/** Builds the querier from flags and file. Throws OutpostError. */
export async function startQuerier(
  flags: QueryFlags,
  context: ProcessContext,
): Promise<RunningQuerier> {
  const config = flags['config.file']
    ? readConfigFile(flags['config.file'], QueryConfigSchema)
    : {};
  const endpoints = [...(config.endpoints ?? []), ...(flags.endpoint ?? [])];
  const { logger } = context;
  for (const address of [flags.httpAddress, flags.grpcAddress]) warnIfOpen(address, context);
  if (endpoints.length === 0) {
    logger.warn('no endpoints: every answer will be empty; add --endpoint host:9191');
  }
  const querier = await newQuerier({
    httpAddress: flags.httpAddress,
    grpcAddress: hostPort(flags.grpcAddress),
    endpoints,
    replicaLabels: [...(config.replica_labels ?? []), ...(flags['query.replicaLabel'] ?? [])],
    responseTimeoutMs: flags['store.responseTimeout'],
    engine: engineOptions(flags),
    buildInfo: buildInfo(packageVersion()),
    status: runtimeStatus(flags, context),
    resolve: async host => (await lookup(host, { all: true })).map(({ address }) => address),
    logger,
    registry: context.registry,
    clock: context.clock,
  });
  logger.info('listening', {
    protocol: 'http',
    address: hostPort({ ...flags.httpAddress, port: querier.httpPort }),
  });
  logger.info('listening', {
    protocol: 'grpc',
    address: hostPort({ ...flags.grpcAddress, port: querier.grpcPort }),
  });
  return querier;
}
