// `outpost agent`: one host's agent.

import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Agent, newAgent } from '../../agent/agent.ts';
import { Notifications } from '../httpapi/notifications.ts';
import { type Actor, aborted } from '../lifecycle/run-group.ts';
import { type AgentConfig, AgentConfigSchema } from './agent-config.ts';
import { type AgentFlags, withAgentFlags } from './agent-flags.ts';
import { agentSettings } from './agent-settings.ts';
import { readConfigFile } from './config-file.ts';
import { apiLimits, engineOptions } from './engine-flags.ts';
import { hostPort } from './flags.ts';
import { type Listener, logListening, namingFlag, warnIfOpen } from './listening.ts';
import { type ProcessContext, runProcess } from './process.ts';
import { queryLog } from './query-log.ts';
import { lifecycleOperations, Reloader, reloadOnSignal } from './reload.ts';
import { remoteReadLimits } from './remote-read-flags.ts';
import { runtimeStatus, shownFlags } from './status.ts';
import { buildInfo, packageVersion } from './version.ts';

/** Registers the mode. */
export function addAgentCommand(program: Command): void {
  const command = program
    .command('agent')
    .description('collect, keep and serve this host’s metrics');
  withAgentFlags(command).action(async (flags: AgentFlags) => {
    await runProcess('agent', flags, async context => {
      const shown = { ...context, shownFlags: shownFlags(command) };
      return (await startAgent(flags, shown)).actors;
    });
  });
}

/** Builds the agent from flags and file. Throws OutpostError. */
export async function startAgent(flags: AgentFlags, context: ProcessContext): Promise<Agent> {
  const file = flags['config.file'];
  const read = file === undefined ? null : () => readConfigFile(file, AgentConfigSchema);
  const config = read?.() ?? {};
  const settings = agentSettings(flags, config);
  const { logger, registry, clock } = context;
  let { externalLabels } = settings;
  const notifications = new Notifications(clock.now);
  const reloader = new Reloader<AgentConfig>({
    ...{ read, config, now: clock.now, logger, registry, notifications },
    live: ['global.external_labels'],
    apply: next => {
      externalLabels = agentSettings(flags, next).externalLabels;
    },
  });
  reloadOnSignal(reloader);
  const http: Listener = {
    flag: '--http-address',
    protocol: 'http',
    address: flags.httpAddress,
  };
  const grpc: Listener = {
    flag: '--grpc-address',
    protocol: 'grpc',
    address: flags.grpcAddress,
  };
  warnIfOpen([http, grpc], logger);
  // Sockets have short paths and are this process's alone.
  const socketDir = mkdtempSync(join(tmpdir(), 'outpost-'));
  const removeSockets = (): void => rmSync(socketDir, { recursive: true, force: true });
  try {
    const agent = await newAgent({
      ...settings,
      get externalLabels() {
        return externalLabels;
      },
      dataDir: flags.dataDir,
      httpAddress: flags.httpAddress,
      grpcAddress: hostPort(flags.grpcAddress),
      instance: hostname(),
      socketDir,
      engine: { ...engineOptions(flags), ...queryLog(flags, context) },
      limits: apiLimits(flags),
      remoteRead: remoteReadLimits(flags),
      selfMetrics: flags.selfMetrics,
      ...(flags['web.cors.origin'] !== undefined && { corsOrigin: flags['web.cors.origin'] }),
      remoteWriteReceiver: flags['web.enableRemoteWriteReceiver'] ?? false,
      adminApi: flags['web.enableAdminApi'] ?? false,
      buildInfo: buildInfo(packageVersion()),
      ...(flags['web.enableLifecycle'] && { lifecycle: lifecycleOperations(reloader) }),
      notifications,
      status: runtimeStatus(config, context, reloader),
      context: { ...context, fillRandom: bytes => void randomFillSync(bytes) },
    });
    logListening(http, agent.httpPort, logger);
    logListening(grpc, agent.grpcPort, logger);
    const cleanUp: Actor = {
      name: 'clean up',
      async run(signal) {
        await aborted(signal);
        removeSockets();
      },
    };
    return { ...agent, actors: [cleanUp, ...agent.actors] };
  } catch (error) {
    removeSockets();
    throw namingFlag(error, [http, grpc]);
  }
}
