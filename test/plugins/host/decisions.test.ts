// The host's pure decisions: states, restarts, the grid.

import { describe, expect, it } from 'vitest';
import { nextPoint, sampleTime } from '../../../plugins/host/collection-grid.ts';
import {
  nextState,
  PLUGIN_STATES,
  type PluginEvent,
  type PluginState,
} from '../../../plugins/host/plugin-state.ts';
import {
  NO_RESTARTS,
  planRestart,
  QUARANTINE,
  type RestartHistory,
} from '../../../plugins/host/restart-policy.ts';

describe('the state of a plugin', () => {
  const live = { exit: 'backoff', hang: 'stuck', stop: 'draining' } as const;
  const serving = { ...live, collect: 'running', miss: 'degraded', throttle: 'degraded' } as const;
  const table: Readonly<Record<PluginState, Partial<Record<PluginEvent, PluginState>>>> = {
    discovered: { ...live, verify: 'verified' },
    verified: { ...live, start: 'starting' },
    starting: { ...live, connect: 'connected' },
    connected: { ...live, configure: 'configured' },
    configured: serving,
    running: serving,
    degraded: serving,
    backoff: {
      retry: 'discovered',
      'give-up': 'quarantined',
      decline: 'stopped',
      stop: 'draining',
    },
    quarantined: { retry: 'discovered', stop: 'draining' },
    stuck: { exit: 'backoff', stop: 'draining', end: 'stopped' },
    draining: { end: 'stopped', hang: 'stuck', exit: 'backoff' },
    stopped: { retry: 'discovered', stop: 'draining' },
  };
  const events: readonly PluginEvent[] = [
    ...(['verify', 'start', 'connect', 'configure', 'collect', 'miss', 'throttle'] as const),
    ...(['exit', 'decline', 'give-up', 'hang', 'retry', 'stop', 'end'] as const),
  ];
  for (const state of PLUGIN_STATES) {
    it(`goes from ${state} only where it can`, () => {
      for (const event of events) {
        const expected = table[state][event];
        if (expected) expect(nextState(state, event)).toBe(expected);
        else
          expect(() => nextState(state, event)).toThrow(`plugin event ${event} in state ${state}`);
      }
    });
  }
});

describe('planRestart', () => {
  const minute = 60_000;

  it('waits up to twice as long each time, with full jitter', () => {
    let history: RestartHistory = NO_RESTARTS;
    const longest: number[] = [];
    for (let i = 0; i < 12; i++) {
      // Three minutes apart, so that there are never five exits within ten minutes.
      const plan = planRestart(history, i * 3 * minute, 1000, 0.999999999);
      expect(plan.kind).toBe('retry');
      expect(planRestart(history, i * 3 * minute, 1000, 0).delayMs).toBe(0);
      expect(planRestart(history, i * 3 * minute, 1000, 0.5).delayMs).toBe(
        Math.floor((plan.delayMs + 1) / 2),
      );
      longest.push(plan.delayMs + 1);
      history = plan.history;
    }
    expect(longest).toEqual([
      1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000,
    ]);
  });

  it('quarantines for an hour at the fifth exit within ten minutes', () => {
    let history: RestartHistory = NO_RESTARTS;
    for (const at of [0, 1, 2, 3]) {
      const plan = planRestart(history, at * minute, 1000, 0.5);
      expect(plan.kind).toBe('retry');
      history = plan.history;
    }
    expect(planRestart(history, 9.9 * minute, 1000, 0.5)).toEqual({
      kind: 'quarantine',
      delayMs: 60 * minute,
      history: { attempt: 0, exits: [], isProbe: true },
    });
    expect(planRestart(history, 10 * minute, 1000, 0.5).kind).toBe('retry');
  });

  it('quarantines again at once what ends after it was tried, unless it was healthy', () => {
    const { history } = QUARANTINE;
    expect(planRestart(history, 0, 10 * minute - 1, 0.5)).toEqual(QUARANTINE);
    expect(planRestart(history, 0, 10 * minute, 0.5).kind).toBe('retry');
  });

  it('forgives a plugin that ran for ten minutes', () => {
    const history = { attempt: 8, exits: [1, 2, 3, 4], isProbe: false };
    expect(planRestart(history, 5, 10 * minute, 0.5)).toEqual({
      kind: 'retry',
      delayMs: 500,
      history: { attempt: 1, exits: [5], isProbe: false },
    });
    expect(planRestart(history, 5, 10 * minute - 1, 0.5).kind).toBe('quarantine');
  });
});

describe('the grid of collections', () => {
  const points: readonly (readonly [number, number, number, number])[] = [
    [10_000, 9_000, 1000, 11_000],
    [10_001, 10_000, 1000, 11_000],
    // The timer fired a moment early; the point has been collected.
    [10_999, 11_000, 1000, 12_000],
    // A collection took long: its points are passed over.
    [13_500, 11_000, 1000, 14_000],
    // The wall clock was put back.
    [5_200, 11_000, 1000, 6_000],
    [61_000, 60_000, 15_000, 75_000],
  ];
  for (const [now, last, interval, next] of points) {
    it(`goes on at ${next} when it is ${now} and ${last} is done, every ${interval} ms`, () => {
      expect(nextPoint(now, last, interval)).toBe(next);
    });
  }

  it('stamps samples with the point when they are near it, else with their own time', () => {
    expect(sampleTime(10_010, 10_000, 1000)).toBe(10_000);
    expect(sampleTime(9_999, 10_000, 1000)).toBe(10_000);
    expect(sampleTime(10_011, 10_000, 1000)).toBe(10_011);
    expect(sampleTime(15_150, 15_000, 15_000)).toBe(15_000);
    expect(sampleTime(102, 100, 100)).toBe(100);
    expect(sampleTime(103, 100, 100)).toBe(103);
  });
});
