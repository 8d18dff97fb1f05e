// `outpost agent`: one host's agent.

import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { type Agent, type AgentOptions, newAgent } from '../../agent/agent.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { parseDuration, parseSize } from '../encoding/units.ts';
import { Labels } from '../labels/labels.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { type Actor, aborted } from '../lifecycle/run-group.ts';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';
import { type AgentConfig, AgentConfigSchema } from './agent-config.ts';
import { readConfigFile } from './config-file.ts';
import { type EngineFlags, engineOptions, withEngineFlags } from './engine-flags.ts';
import {
  type Address,
  addressFlag,
  durationFlag,
  hostPort,
  isLoopback,
  labelFlag,
  positiveDurationFlag,
  sizeFlag,
  withCommonFlags,
} from './flags.ts';
import { type CommonFlags, type ProcessContext, runProcess } from './process.ts';
import { runtimeStatus } from './status.ts';
import { buildInfo, packageVersion } from './version.ts';

/** The agent's flags as commander names them; undefined where not given. */
export interface AgentFlags extends CommonFlags, EngineFlags {
  readonly 'config.file'?: string;
  readonly dataDir: string;
  readonly httpAddress: Address;
  readonly grpcAddress: Address;
  readonly collectInterval?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly 'storage.retention.time'?: number;
  readonly 'storage.retention.size'?: number;
  readonly plugins: boolean;
  readonly selfMetrics: boolean;
  readonly 'web.cors.origin'?: string;
  readonly 'web.enableRemoteWriteReceiver'?: boolean;
  readonly 'web.enableAdminApi'?: boolean;
}

const DEFAULT_INTERVAL_MS = 15_000;
const DEFAULT_RETENTION_MS = 15 * 86_400_000;

/** Adds the flags that `agent` and `up` share. */
export function withAgentFlags(command: Command): Command {
  return withEngineFlags(withCommonFlags(command))
    .option('--config.file <path>', 'configuration file; flags win over it')
    .option('--data-dir <path>', 'where samples are kept', './data')
    .option('--http-address <host:port>', 'HTTP address (default: 127.0.0.1:9190)', addressFlag, {
      host: '127.0.0.1',
      port: 9190,
    })
    .option(
      '--grpc-address <host:port>',
      'gRPC address of the StoreAPI (default: 127.0.0.1:9191)',
      addressFlag,
      { host: '127.0.0.1', port: 9191 },
    )
    .option(
      '--collect-interval <duration>',
      'how often collectors run (default: 15s)',
      positiveDurationFlag,
    )
    .option('--label <name=value>', 'external label of this agent; repeat for more', labelFlag)
    .option(
      '--storage.retention.time <duration>',
      'how long samples are kept, 0 for ever (default: 15d)',
      durationFlag,
    )
    .option(
      '--storage.retention.size <size>',
      'most bytes kept, 0 for no limit (default: 0)',
      sizeFlag,
    )
    .option('--no-plugins', 'start no plugins')
    .option('--no-self-metrics', 'do not store the agent’s own metrics')
    .option('--web.cors.origin <regex>', 'origins whose pages may read answers (default: none)')
    .option('--web.enable-remote-write-receiver', 'take remote write at /api/v1/write')
    .option('--web.enable-admin-api', 'allow /api/v1/admin/tsdb/snapshot');
}

/** Registers the mode. */
export function addAgentCommand(program: Command): void {
  withAgentFlags(
    program.command('agent').description('collect, keep and serve this host’s metrics'),
  ).action(async (flags: AgentFlags) => {
    await runProcess('agent', flags, async context => {
      const { actors } = await startAgent(flags, context);
      return actors;
    });
  });
}

/** Builds the agent from flags and file. Throws OutpostError. */
export async function startAgent(flags: AgentFlags, context: ProcessContext): Promise<Agent> {
  const config = flags['config.file']
    ? readConfigFile(flags['config.file'], AgentConfigSchema)
    : {};
  const { logger } = context;
  for (const address of [flags.httpAddress, flags.grpcAddress]) warnIfOpen(address, context);
  // Sockets have short paths and are this process's alone.
  const socketDir = mkdtempSync(join(tmpdir(), 'outpost-'));
  const removeSockets = (): void => rmSync(socketDir, { recursive: true, force: true });
  try {
    const stopMeasuring = registerProcessMetrics(
      context.registry,
      packageVersion(),
      context.startTime,
    );
    const agent = await newAgent(agentOptions(flags, config, context, socketDir));
    logger.info('listening', {
      protocol: 'http',
      address: hostPort({ ...flags.httpAddress, port: agent.httpPort }),
    });
    logger.info('listening', {
      protocol: 'grpc',
      address: hostPort({ ...flags.grpcAddress, port: agent.grpcPort }),
    });
    const cleanUp: Actor = {
      name: 'clean up',
      async run(signal) {
        await aborted(signal);
        stopMeasuring();
        removeSockets();
      },
    };
    return { ...agent, actors: [cleanUp, ...agent.actors] };
  } catch (error) {
    removeSockets();
    throw error;
  }
}

function agentOptions(
  flags: AgentFlags,
  config: AgentConfig,
  context: ProcessContext,
  socketDir: string,
): AgentOptions {
  const version = packageVersion();
  const retention = config.storage?.retention;
  return {
    dataDir: flags.dataDir,
    httpAddress: flags.httpAddress,
    grpcAddress: hostPort(flags.grpcAddress),
    collectIntervalMs:
      flags.collectInterval ??
      configDuration(config.global?.collect_interval) ??
      DEFAULT_INTERVAL_MS,
    externalLabels: externalLabels(flags, config),
    instance: hostname(),
    plugins: flags.plugins ? pluginSpecs(config) : [],
    socketDir,
    database: {
      retentionMs:
        flags['storage.retention.time'] ?? configDuration(retention?.time) ?? DEFAULT_RETENTION_MS,
      retentionBytes: flags['storage.retention.size'] ?? parseSize(retention?.size ?? '0') ?? 0,
      ...(config.storage?.series_max !== undefined && { seriesMax: config.storage.series_max }),
    },
    engine: engineOptions(flags),
    selfMetrics: flags.selfMetrics,
    ...(flags['web.cors.origin'] !== undefined && { corsOrigin: flags['web.cors.origin'] }),
    remoteWriteReceiver: flags['web.enableRemoteWriteReceiver'] ?? false,
    adminApi: flags['web.enableAdminApi'] ?? false,
    buildInfo: buildInfo(version),
    status: runtimeStatus(flags, context),
    context: { ...context, fillRandom: bytes => void randomFillSync(bytes) },
  };
}

/** The file's intervals were checked against the schema; zero is not an interval. */
function configDuration(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDuration(text) ?? undefined);
}

/** An agent without any external label would match every query, so it gets one that tells it apart. */
function externalLabels(flags: AgentFlags, config: AgentConfig): Labels {
  const labels = { ...config.global?.external_labels, ...flags.label };
  if (Object.keys(labels).length === 0) return Labels.fromObject({ agent: hostname() });
  return Labels.fromObject(labels);
}

function pluginSpecs(config: AgentConfig): PluginSpec[] {
  const configured: NonNullable<AgentConfig['plugins']> = { os: {}, ...config.plugins };
  return Object.entries(configured)
    .filter(([, plugin]) => plugin.enabled !== false)
    .map(([name, plugin]) => {
      const { command, ...settings } = plugin;
      const [executable, ...args] = command ?? builtIn(name);
      return {
        name,
        command: executable!,
        args,
        ...(settings.max_series !== undefined && { seriesMax: settings.max_series }),
        ...(settings.collectors && { collectors: settings.collectors }),
      };
    });
}

const BUILT_IN: Readonly<Record<string, string>> = { os: '../../plugins/os/main' };

/** The command line of a built-in plugin: this Node.js on its main, compiled or not as we are. */
function builtIn(name: string): string[] {
  const path = BUILT_IN[name];
  if (!path) {
    const known = Object.keys(BUILT_IN).join(', ');
    throw new OutpostError('bad-data', `plugin "${name}" needs a command; built in are: ${known}`);
  }
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return [process.execPath, fileURLToPath(new URL(path + extension, import.meta.url))];
}

/** Without TLS and authentication, other hosts are let in only by an operator who knows it. */
export function warnIfOpen(address: Address, { logger }: ProcessContext): void {
  if (isLoopback(address.host)) return;
  logger.warn(
    'listening beyond this host without TLS or authentication; bind to 127.0.0.1 and put a proxy in front',
    { address: hostPort(address) },
  );
}
