// The command line a plugin is started with: itself, behind what gives privileges up and lets it die with the
// agent. Each program of the chain executes the next, so there is one process with one id.

import type { Account } from './accounts.ts';
import type { PluginSpec } from './plugin-spec.ts';

/** What a line is made of, and the account it runs as; null is the agent's own. */
export interface LaunchLineOptions {
  /** Path of setpriv(1); null where there is none. */
  readonly setpriv: string | null;
  /** True where the agent may take another user's identity. */
  readonly isRoot: boolean;
  readonly account: Account | null;
}

/** A command with its arguments. */
export interface LaunchLine {
  readonly command: string;
  readonly args: readonly string[];
}

/** `path` is the executable that was verified. Throws nothing: what cannot be had is `lineProblem`'s to say. */
export function launchLine(
  path: string,
  spec: PluginSpec,
  { setpriv, isRoot, account }: LaunchLineOptions,
): LaunchLine {
  const args = spec.args ?? [];
  if (setpriv === null) return { command: path, args };
  const changes = ['--pdeathsig', 'KILL'];
  if (isRoot && account) {
    const kept = (spec.capabilities ?? []).map(name => `+${name}`);
    const set = ['-all', ...kept].join(',');
    changes.push(
      ...['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups'],
      ...['--no-new-privs', '--bounding-set', set],
      // Without these two a process that is not root would start without the capabilities it keeps.
      ...['--inh-caps', set, '--ambient-caps', set],
    );
  } else if (account) changes.push('--no-new-privs');
  return { command: setpriv, args: [...changes, '--', path, ...args] };
}

/** Why a plugin cannot run as its specification says; null where it can. */
export function lineProblem(
  spec: PluginSpec,
  { setpriv, isRoot, account }: LaunchLineOptions,
): string | null {
  if (spec.user === undefined) {
    return spec.capabilities?.length ? 'capabilities need a user to run as (user: …)' : null;
  }
  if (account === null) return `there is no user ${spec.user}`;
  if (!isRoot) return `only root can run it as ${spec.user}; the agent is not root`;
  return setpriv === null ? `setpriv (util-linux) is needed to run it as ${spec.user}` : null;
}
