// From a specification to a process: which file is executed, whether it may be, as whom, within what.

import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { Identity } from '../sdk/certificate.ts';
import { findAccount } from './accounts.ts';
import { DEFAULT_PATH, findCommand } from './command-file.ts';
import { type LaunchLine, launchLine, lineProblem } from './launch-line.ts';
import type { PluginCgroup } from './plugin-cgroup.ts';
import type { PluginLog } from './plugin-log.ts';
import { PluginProcess } from './plugin-process.ts';
import type { PluginReport } from './plugin-report.ts';
import { limitsOf, type PluginSpec } from './plugin-spec.ts';
import type { SupervisorTools } from './supervisor-tools.ts';
import { verifyExecutable } from './verify.ts';

/** A plugin that may be started. */
export interface PreparedLaunch {
  readonly path: string;
  readonly line: LaunchLine;
  readonly socketDir: string;
  readonly cgroup: PluginCgroup | null;
}

/**
 * Finds and checks the executable. Rejects with `bad-data` where it must not be started, with `unavailable`
 * where it cannot be now.
 */
export async function prepareLaunch(
  spec: PluginSpec,
  tools: SupervisorTools,
  report: PluginReport,
): Promise<PreparedLaunch> {
  const found = findCommand(spec.command, spec.env?.['PATH'] ?? DEFAULT_PATH);
  if ('problem' in found) throw problem('unavailable', spec, found.problem);
  const { path } = found;
  const { uid, setpriv } = tools.process;
  const account = spec.user === undefined ? null : findAccount(spec.user);
  const options = { setpriv, isRoot: uid === 0, account };
  const wrong = lineProblem(spec, options);
  if (wrong !== null) throw problem('bad-data', spec, wrong);
  await checkExecutable(path, spec, { uid, report });
  return {
    path,
    line: launchLine(path, spec, options),
    socketDir: tools.sockets.for(spec.name, account),
    cgroup: makeCgroup(spec, tools, report),
  };
}

/** Starts what was prepared. */
export function startPlugin(
  spec: PluginSpec,
  prepared: PreparedLaunch,
  {
    tools,
    log,
    identity,
  }: {
    readonly tools: SupervisorTools;
    readonly log: PluginLog;
    /** The host's certificate where the plugin is offered TLS. */
    readonly identity: Identity | null;
  },
): PluginProcess {
  return new PluginProcess(spec, {
    ...prepared,
    ...(identity && { env: { PLUGIN_CLIENT_CERT: identity.certificatePem } }),
    clock: tools.clock,
    log,
    tools: tools.process,
    ...(tools.handshakeMs !== undefined && { handshakeMs: tools.handshakeMs }),
  });
}

async function checkExecutable(
  path: string,
  spec: PluginSpec,
  { uid, report }: { readonly uid: number; readonly report: PluginReport },
): Promise<void> {
  if (spec.builtIn && spec.sha256 === undefined) return;
  try {
    await verifyExecutable(path, {
      agentUid: uid,
      scripts: (spec.args ?? []).filter(isScript),
      ...(spec.sha256 !== undefined && { sha256: spec.sha256 }),
      ...(spec.verify !== undefined && { policy: spec.verify }),
      onWarning: message =>
        report.tellOnce(
          'plugin.unsafe',
          'plugin.unsafe',
          `plugin ${spec.name} is started although others could change it: ${message}`,
          {},
        ),
    });
  } catch (error) {
    const { code, message } = OutpostError.from(error);
    throw problem(code === 'bad-data' ? 'bad-data' : 'unavailable', spec, message);
  }
}

/** An argument that names a file: what an interpreter is given to run, or something near to it. */
function isScript(argument: string): boolean {
  return isAbsolute(argument) && (statSync(argument, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** Limits that the kernel holds, where it can; a group that cannot be made is told once. */
function makeCgroup(
  spec: PluginSpec,
  { process, logger }: SupervisorTools,
  report: PluginReport,
): PluginCgroup | null {
  try {
    return process.cgroups?.make(spec.name, limitsOf(spec)) ?? null;
  } catch (error) {
    const message = `plugin ${spec.name} has no group of its own, the agent watches over it: ${String(error)}`;
    report.tellOnce('no-cgroup', 'plugin.unlimited', message, {});
    logger.debug('group not made', { plugin: spec.name, err: String(error) });
    return null;
  }
}

function problem(code: 'bad-data' | 'unavailable', spec: PluginSpec, what: string): OutpostError {
  return new OutpostError(code, `start plugin ${spec.name}: ${what}`);
}
