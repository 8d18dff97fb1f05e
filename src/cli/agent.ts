// `outpost agent`: one host's agent.

import { randomFillSync } from 'node:crypto';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type Agent, newAgent } from '../../agent/agent.ts';
import { systemTools } from '../../plugins/host/process-tools.ts';
import { Notifications } from '../httpapi/notifications.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { type AgentConfig, AgentConfigSchema } from './agent-config.ts';
import { type AgentFlags, withAgentFlags } from './agent-flags.ts';
import { agentSettings } from './agent-settings.ts';
import { checkCollectors } from './built-in-plugins.ts';
import { readConfigFile } from './config-file.ts';
import { configWatch } from './config-watch.ts';
import { apiLimits, engineOptions } from './engine-flags.ts';
import { hostPort } from './flags.ts';
import { type Listener, logListening, namingFlag, warnIfOpen } from './listening.ts';
import { manifestPaths, withManifests } from './plugin-manifests.ts';
import { placedMistake } from './plugin-mistake.ts';
import { type ProcessContext, runProcess } from './process.ts';
import { queryLog } from './query-log.ts';
import { lifecycleOperations, Reloader, reloadOnSignal } from './reload.ts';
import { remoteReadLimits } from './remote-read-flags.ts';
import { SCRAPE_KEYS, scrapeMistakes } from './scrape/scrape-settings.ts';
import { socketPlace } from './socket-place.ts';
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
  const manifests = flags.plugins ? flags['plugins.dir'] : undefined;
  const read =
    file === undefined && manifests === undefined
      ? null
      : (): AgentConfig =>
          withManifests(
            file === undefined ? {} : readConfigFile(file, AgentConfigSchema, scrapeMistakes),
            manifests,
          );
  const config = read?.() ?? {};
  await checkPlaced(config, file);
  const settings = agentSettings(flags, config);
  const log = queryLog(
    {
      flag: flags['query.logFile'],
      configured: config.global?.query_log_file,
      configFile: file,
    },
    context,
  );
  const { logger, registry, clock } = context;
  let { externalLabels } = settings;
  let running: Agent | null = null;
  const notifications = new Notifications(clock.now);
  const reloader = new Reloader<AgentConfig>({
    ...{ read, config, now: clock.now, logger, registry, notifications },
    live: ['global.external_labels', 'plugins', ...SCRAPE_KEYS],
    apply: async next => {
      await checkPlaced(next, file);
      if (!running)
        throw new OutpostError('unavailable', 'read the configuration: the agent starts');
      const nextSettings = agentSettings(flags, next);
      await running.reconfigurePlugins(nextSettings.plugins).catch(error => {
        throw placedMistake(error, file, Object.keys(next.plugins ?? {}));
      });
      running.reconfigureScraping(nextSettings.scrape);
      externalLabels = nextSettings.externalLabels;
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
      ...socketPlace(flags.dataDir, process.env['XDG_RUNTIME_DIR']),
      processTools: systemTools({
        cgroups: true,
        onNoCgroups: why =>
          logger.debug('plugins have no cgroups, the agent watches over them', { why }),
      }),
      engine: { ...engineOptions(flags), ...log },
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
    running = agent;
    if (!flags['config.watch']) return agent;
    const files = (): string[] => [
      ...(file === undefined ? [] : [file]),
      ...(manifests === undefined ? [] : manifestPaths(manifests)),
    ];
    return { ...agent, actors: [configWatch({ files, reloader, clock }), ...agent.actors] };
  } catch (error) {
    throw namingFlag(error, [http, grpc]);
  }
}

/** Refuses mistakes about the collectors of built-in sets, with their place. */
async function checkPlaced(config: AgentConfig, file: string | undefined): Promise<void> {
  await checkCollectors(config).catch(error => {
    throw placedMistake(error, file, Object.keys(config.plugins ?? {}));
  });
}
