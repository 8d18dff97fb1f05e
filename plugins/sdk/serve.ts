// Turns a process into a plugin: checks that a host started it, listens, says where, and ends when the
// host wants it or is gone. The one place of a plugin that touches the process.

import { Console } from 'node:console';
import { randomFillSync, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { withoutMaglev } from '../../src/lifecycle/compiler.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { handshakeText, newIdentity } from './certificate.ts';
import {
  COOKIE_KEY,
  COOKIE_VALUE,
  DEBUG_KEY,
  formatHandshake,
  formatReattach,
  LIFELINE_KEY,
  negotiateVersion,
  PROTOCOL_VERSIONS,
} from './handshake.ts';
import { newHclogLogger } from './hclog.ts';
import { type Plugin, PluginRuntime } from './runtime.ts';
import { type PluginServer, servePlugin } from './server.ts';
import type { Security } from './tls.ts';

/** How often a plugin looks whether its parent is still the one that started it. */
const PARENT_CHECK_MS = 1000;
/** Longest path of a unix socket (sun_path less its end). */
const SOCKET_PATH_MAX = 107;

/**
 * Serves the plugin until its host ends it; the last call of a plugin's main. Ends the process with exit
 * code 1 and a sentence on stderr when it was not started as a plugin.
 *
 * With OUTPOST_PLUGIN_DEBUG=1 in the environment it can be started by hand, under a debugger for instance:
 * it prints where it listens as go-plugin's reattach JSON and runs until Ctrl-C.
 */
export async function serve(plugin: Plugin): Promise<void> {
  withoutMaglev();
  const { env } = process;
  const isDebugged = env[DEBUG_KEY] === '1' && env[COOKIE_KEY] === undefined;
  const problem = isDebugged ? null : launchProblem(plugin, env);
  if (problem !== null) {
    process.stderr.write(`${problem}\n`);
    process.exit(1);
  }
  const logger = newHclogLogger(
    line => process.stderr.write(`${line}\n`),
    () => systemClock.now(),
    { '@module': plugin.name },
  );
  const runtime = new PluginRuntime(plugin, { clock: systemClock, logger });
  const socket = join(
    env['PLUGIN_UNIX_SOCKET_DIR'] || tmpdir(),
    `plugin-${plugin.name}-${process.pid}-${randomUUID().slice(0, 8)}`,
  );
  let server: PluginServer | null = null;
  const end = (): void => {
    runtime.close();
    server?.close();
    rmSync(socket, { force: true });
    process.exit(0);
  };
  // The host decides when a plugin ends; Ctrl-C in a terminal reaches the whole group.
  process.on('SIGINT', isDebugged ? end : () => {});
  process.on('SIGTERM', end);
  try {
    const security = securityFor(env['PLUGIN_CLIENT_CERT']);
    const options = { socket, security, clock: systemClock, onShutdown: end };
    server = await servePlugin(runtime, options);
    if (!isDebugged) watchHost(end, logger);
    announce(server, socket, { security, isDebugged });
  } catch (error) {
    process.stderr.write(`plugin ${plugin.name} listens on ${socket}: ${String(error)}\n`);
    process.exit(1);
  }
}

/** AutoMTLS: where the host sends its certificate, both sides have one. */
function securityFor(hostCertificate: string | undefined): Security {
  if (!hostCertificate) return null;
  const fillRandom = (bytes: Uint8Array): void => void randomFillSync(bytes);
  const own = newIdentity({ now: systemClock.now(), fillRandom });
  return { own, peerPem: hostCertificate };
}

/** Why this process cannot run as a plugin, as a sentence for whoever started it; null when it can. */
export function launchProblem(
  plugin: Plugin,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  if (env[COOKIE_KEY] !== COOKIE_VALUE) {
    return (
      `This is the Outpost plugin "${plugin.name}" ${plugin.version}. A plugin is started by the agent, ` +
      'not by hand: name this command in the agent\'s configuration under "plugins".'
    );
  }
  const directory = env['PLUGIN_UNIX_SOCKET_DIR'] || tmpdir();
  if (directory.length + plugin.name.length + 34 > SOCKET_PATH_MAX) {
    return `The socket directory's path is too long for a unix socket: ${directory}`;
  }
  return null;
}

function announce(
  server: PluginServer,
  socket: string,
  { security, isDebugged }: { readonly security: Security; readonly isDebugged: boolean },
): void {
  const protocolVersion = negotiateVersion(
    process.env['PLUGIN_PROTOCOL_VERSIONS'] ?? '',
    PROTOCOL_VERSIONS,
  );
  if (isDebugged) {
    const [version = 1] = PROTOCOL_VERSIONS;
    const reattach = {
      protocolVersion: version,
      network: 'unix',
      address: socket,
      pid: process.pid,
    };
    process.stdout.write(`${formatReattach(reattach)}\n`);
    return;
  }
  const certificate = security === null ? '' : handshakeText(security.own);
  const handshake = { protocolVersion, network: 'unix', address: socket, certificate } as const;
  process.stdout.write(`${formatHandshake(handshake)}\n`);
  // Nobody parses stdout from here on: what a library prints goes to the host over GRPCStdio, what goes
  // through the console belongs with the log.
  globalThis.console = new Console(process.stderr, process.stderr);
  process.stdout.write = (data: Uint8Array | string, ...rest: unknown[]): boolean => {
    server.output.print(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
}

function watchHost(end: () => void, logger: Logger): void {
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid !== parent) {
      logger.warn('the host is gone, the plugin ends');
      end();
    } else systemClock.after(PARENT_CHECK_MS, check);
  };
  check();
  // Other hosts let the plugin inherit whatever their own stdin is, so its end means nothing there.
  if (process.env[LIFELINE_KEY] !== 'stdin') return;
  process.stdin.on('end', end);
  process.stdin.on('error', end);
  process.stdin.resume();
}
