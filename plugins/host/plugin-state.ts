// The life of a plugin as a pure function of what happens to it.

import { assert } from '../../src/lifecycle/errors.ts';

/** Where a plugin is in its life; each is a value of `agent_plugin_state{plugin,state}`. */
export const PLUGIN_STATES = [
  'discovered',
  'verified',
  'starting',
  'connected',
  'configured',
  'running',
  'degraded',
  'backoff',
  'quarantined',
  'stuck',
  'draining',
  'stopped',
] as const;

export type PluginState = (typeof PLUGIN_STATES)[number];

/** What can happen to a plugin. */
export type PluginEvent =
  | 'verify' // its executable is what it should be
  | 'start' // its process begins
  | 'connect' // the handshake is done and the plugin described itself
  | 'configure' // it took its configuration
  | 'collect' // a collection succeeded
  | 'miss' // a collection failed or took too long
  | 'throttle' // it takes more than it may and is collected from less often
  | 'exit' // the process ended, or did not get as far as running
  | 'decline' // it says there is nothing for it here
  | 'give-up' // it ended too often, or refused its configuration
  | 'hang' // not even SIGKILL ends its process
  | 'retry' // the wait is over
  | 'stop' // the agent ends
  | 'end'; // the process is gone, as it should

const BEGINNING: readonly PluginState[] = ['discovered', 'verified', 'starting'];
const SERVING: readonly PluginState[] = ['configured', 'running', 'degraded'];
const LIVE: readonly PluginState[] = [...BEGINNING, 'connected', ...SERVING];
const WAITING: readonly PluginState[] = ['backoff', 'quarantined', 'stopped'];

const TRANSITIONS: Readonly<
  Record<PluginEvent, { readonly from: readonly PluginState[]; readonly to: PluginState }>
> = {
  verify: { from: ['discovered'], to: 'verified' },
  start: { from: ['verified'], to: 'starting' },
  connect: { from: ['starting'], to: 'connected' },
  configure: { from: ['connected'], to: 'configured' },
  collect: { from: SERVING, to: 'running' },
  miss: { from: SERVING, to: 'degraded' },
  throttle: { from: SERVING, to: 'degraded' },
  exit: { from: [...LIVE, 'stuck', 'draining'], to: 'backoff' },
  decline: { from: ['backoff'], to: 'stopped' },
  'give-up': { from: ['backoff'], to: 'quarantined' },
  hang: { from: [...LIVE, 'draining'], to: 'stuck' },
  retry: { from: WAITING, to: 'discovered' },
  stop: { from: [...LIVE, ...WAITING, 'stuck'], to: 'draining' },
  end: { from: ['draining', 'stuck'], to: 'stopped' },
};

/** The state after `event`. An event that cannot happen in `state` is a bug. */
export function nextState(state: PluginState, event: PluginEvent): PluginState {
  const { from, to } = TRANSITIONS[event];
  assert(from.includes(state), `plugin event ${event} in state ${state}`);
  return to;
}
