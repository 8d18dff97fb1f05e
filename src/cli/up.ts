// `outpost up`: everything a newcomer needs on one host, an agent and a querier over it, in one process.

import type { Command } from 'commander';
import type { Agent } from '../../agent/agent.ts';
import type { RunningQuerier } from '../../federation/query/querier.ts';
import { parseDuration } from '../encoding/units.ts';
import { sleep } from '../lifecycle/clock.ts';
import { type Actor, aborted, runGroup } from '../lifecycle/run-group.ts';
import { Registry } from '../telemetry/metrics.ts';
import { startAgent } from './agent.ts';
import { type AgentFlags, withAgentFlags } from './agent-flags.ts';
import { engineOptions } from './engine-flags.ts';
import { type Address, addressFlag, hostPort, option } from './flags.ts';
import { type ProcessContext, runProcess } from './process.ts';
import { RESPONSE_TIMEOUT, startQuerier } from './query.ts';
import { runtimeStatus, shownFlags } from './status.ts';
import { summary } from './summary.ts';

interface UpFlags extends AgentFlags {
  readonly queryHttpAddress: Address;
  readonly queryGrpcAddress: Address;
}

interface Parts {
  readonly agent: Agent;
  readonly querier: RunningQuerier;
}

const FIRST_SAMPLES_DEADLINE_MS = 5000;
const POLL_MS = 50;
const STOPPED: AbortSignal = AbortSignal.abort();

/** Registers the mode. */
export function addUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('an agent on this host and a querier over it, to try Outpost out');
  withUpFlags(command).action(async (flags: UpFlags) => {
    // The summary says what a newcomer wants to know; the log adds what is out of the ordinary.
    const quiet =
      command.getOptionValueSource('log.level') === 'default' ? 'warn' : flags['log.level'];
    await runProcess('up', { ...flags, 'log.level': quiet }, context =>
      startBoth(flags, { ...context, shownFlags: shownFlags(command) }),
    );
  });
}

function withUpFlags(command: Command): Command {
  return withAgentFlags(command)
    .optionsGroup('Listen:')
    .addOption(
      option('--query-http-address <host:port>', 'HTTP address of the querier', {
        parse: addressFlag,
        default: '127.0.0.1:10902',
      }),
    )
    .addOption(
      option('--query-grpc-address <host:port>', 'gRPC address of the querier', {
        parse: addressFlag,
        default: '127.0.0.1:10901',
      }),
    );
}

async function startBoth(flags: UpFlags, context: ProcessContext): Promise<Actor[]> {
  const agent = await startAgent(flags, context);
  let querier: RunningQuerier;
  try {
    querier = await startQuerierOver(agent, flags, context);
  } catch (error) {
    await runGroup(agent.actors, STOPPED, context.logger);
    throw error;
  }
  const summaryActor: Actor = {
    name: 'summary',
    async run(signal) {
      await printSummary(flags, { agent, querier }, context, signal);
      await aborted(signal);
    },
  };
  return [...agent.actors, ...querier.actors, summaryActor];
}

function startQuerierOver(
  agent: Agent,
  flags: UpFlags,
  context: ProcessContext,
): Promise<RunningQuerier> {
  const { host } = flags.grpcAddress;
  const grpc = { host: host === '0.0.0.0' ? '127.0.0.1' : host, port: agent.grpcPort };
  return startQuerier(
    {
      http: { flag: '--query-http-address', protocol: 'http', address: flags.queryHttpAddress },
      grpc: { flag: '--query-grpc-address', protocol: 'grpc', address: flags.queryGrpcAddress },
      endpoints: [hostPort(grpc)],
      replicaLabels: ['replica'],
      responseTimeoutMs: parseDuration(RESPONSE_TIMEOUT)!,
      engine: engineOptions(flags),
      status: runtimeStatus({}, context),
    },
    // Two components in one process: each has its metrics on its own /metrics.
    { ...context, registry: new Registry(), logger: context.logger.child({ component: 'query' }) },
  );
}

async function printSummary(
  flags: UpFlags,
  { agent, querier }: Parts,
  { clock }: ProcessContext,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + FIRST_SAMPLES_DEADLINE_MS;
  // A quarantined plugin waits for its operator; the summary says so at once.
  const settled = ['running', 'quarantined', 'stopped', 'stuck'];
  const isPending = (state: string): boolean => !settled.includes(state);
  const waiting = (): boolean => flags.plugins && [...agent.plugins().values()].some(isPending);
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
      collectIntervalMs: agent.collectIntervalMs,
    }),
  );
}
