// The life of a plugin as a pure function of what happens to it.

import { assert } from '../../src/lifecycle/errors.ts';

/** Where a plugin is in its life; each is a value of `agent_plugin_state{plugin,state}`. */
export const PLUGIN_STATES = [
  'starting',
  'connected',
  'configured',
  'running',
  'degraded',
  'backoff',
  'quarantined',
  'draining',
  'stopped',
] as const;

export type PluginState = (typeof PLUGIN_STATES)[number];

/** What can happen to a plugin. */
export type PluginEvent =
  | 'connect' // the handshake is done and the plugin described itself
  | 'configure' // it took its configuration
  | 'collect' // a collection succeeded
  | 'miss' // a collection failed or took too long
  | 'exit' // the process ended, or did not get as far as running
  | 'give-up' // it ended too often, or refused its configuration
  | 'retry' // the wait is over
  | 'stop' // the agent ends
  | 'end'; // the process is gone, as it should

const LIVE: readonly PluginState[] = ['starting', 'connected', 'configured', 'running', 'degraded'];
const WAITING: readonly PluginState[] = ['backoff', 'quarantined'];

const TRANSITIONS: Readonly<
  Record<PluginEvent, { readonly from: readonly PluginState[]; readonly to: PluginState }>
> = {
  connect: { from: ['starting'], to: 'connected' },
  configure: { from: ['connected'], to: 'configured' },
  collect: { from: ['configured', 'running', 'degraded'], to: 'running' },
  miss: { from: ['configured', 'running', 'degraded'], to: 'degraded' },
  exit: { from: LIVE, to: 'backoff' },
  'give-up': { from: [...LIVE, 'backoff'], to: 'quarantined' },
  retry: { from: WAITING, to: 'starting' },
  stop: { from: [...LIVE, ...WAITING], to: 'draining' },
  end: { from: ['draining'], to: 'stopped' },
};

/** The state after `event`. An event that cannot happen in `state` is a bug. */
export function nextState(state: PluginState, event: PluginEvent): PluginState {
  const { from, to } = TRANSITIONS[event];
  assert(from.includes(state), `plugin event ${event} in state ${state}`);
  return to;
}
