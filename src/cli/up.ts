// `outpost up`: everything a newcomer needs on one host, an agent and a querier over it, in one process.

import type { Command } from 'commander';
import type { Agent } from '../../agent/agent.ts';
import type { RunningQuerier } from '../../federation/query/querier.ts';
import { sleep } from '../lifecycle/clock.ts';
import { aborted } from '../lifecycle/run-group.ts';
import { Registry } from '../telemetry/metrics.ts';
import { type AgentFlags, startAgent, withAgentFlags } from './agent.ts';
import { type Address, addressFlag, hostPort } from './flags.ts';
import { type ProcessContext, runProcess } from './process.ts';
import { startQuerier } from './query.ts';
import { summary } from './summary.ts';

interface UpFlags extends AgentFlags {
  readonly queryHttpAddress: Address;
  readonly queryGrpcAddress: Address;
}

const FIRST_SAMPLES_DEADLINE_MS = 5000;
const POLL_MS = 50;

/** Registers the mode. */
export function addUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('an agent on this host and a querier over it, to try Outpost out');
  withAgentFlags(command)
    .option(
      '--query-http-address <host:port>',
      'HTTP address of the querier (default: 127.0.0.1:10902)',
      addressFlag,
      { host: '127.0.0.1', port: 10_902 },
    )
    .option(
      '--query-grpc-address <host:port>',
      'gRPC address of the querier (default: 127.0.0.1:10901)',
      addressFlag,
      { host: '127.0.0.1', port: 10_901 },
    )
    .action(async (flags: UpFlags) => {
      // The summary says what a newcomer wants to know; the log adds what is out of the ordinary.
      const quiet =
        command.getOptionValueSource('log.level') === 'default' ? 'warn' : flags['log.level'];
      await runProcess('up', { ...flags, 'log.level': quiet }, async context => {
        const agent = await startAgent(flags, context);
        const querier = await startQuerierOver(agent, flags, context);
        return [
          ...agent.actors,
          ...querier.actors,
          {
            name: 'summary',
            async run(signal) {
              await printSummary(flags, { agent, querier }, context, signal);
              await aborted(signal);
            },
          },
        ];
      });
    });
}

function startQuerierOver(
  agent: Agent,
  flags: UpFlags,
  context: ProcessContext,
): Promise<RunningQuerier> {
  const grpc = {
    host: flags.grpcAddress.host === '0.0.0.0' ? '127.0.0.1' : flags.grpcAddress.host,
    port: agent.grpcPort,
  };
  return startQuerier(
    {
      ...flags,
      'config.file': '',
      httpAddress: flags.queryHttpAddress,
      grpcAddress: flags.queryGrpcAddress,
      endpoint: [hostPort(grpc)],
      'query.replicaLabel': ['replica'],
      'store.responseTimeout': 30_000,
    },
    // Two components in one process: each has its metrics on its own /metrics.
    { ...context, registry: new Registry(), logger: context.logger.child({ component: 'query' }) },
  );
}

async function printSummary(
  flags: UpFlags,
  { agent, querier }: { readonly agent: Agent; readonly querier: RunningQuerier },
  { clock }: ProcessContext,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + FIRST_SAMPLES_DEADLINE_MS;
  const waiting = (): boolean =>
    flags.plugins && [...agent.plugins().values()].some(state => state !== 'running');
  while (waiting() && clock.monotonic() < deadline && !signal.aborted) {
    await sleep(clock, POLL_MS, signal).catch(() => {});
  }
  await querier.update();
  if (signal.aborted) return;
  process.stdout.write(
    summary({
      agentHttp: hostPort({ ...flags.httpAddress, port: agent.httpPort }),
      agentGrpc: hostPort({ ...flags.grpcAddress, port: agent.grpcPort }),
      queryHttp: hostPort({ ...flags.queryHttpAddress, port: querier.httpPort }),
      queryGrpc: hostPort({ ...flags.queryGrpcAddress, port: querier.grpcPort }),
      dataDir: flags.dataDir,
      plugins: [...agent.plugins()].map(([name, state]) => `${name} (${state})`),
      series: agent.seriesCount(),
    }),
  );
}
