import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { AgentConfig } from '../../../src/cli/agent-config.ts';
import { type AgentFlags, withAgentFlags } from '../../../src/cli/agent-flags.ts';
import { agentSettings } from '../../../src/cli/agent-settings.ts';

function databaseOf(config: AgentConfig) {
  const command = withAgentFlags(new Command()).parse([], { from: 'user' });
  return agentSettings(command.opts<AgentFlags>(), config).database;
}

test("what is under Prometheus' names in the file reaches the database", () => {
  const database = databaseOf({
    storage: {
      tsdb: { out_of_order_time_window: '30m' },
      exemplars: { max_exemplars: 0 },
    },
  });
  expect(database).toMatchObject({ outOfOrderMs: 30 * 60_000, exemplarsMax: 0 });
});

test('what the file does not say is left to the database', () => {
  const database = databaseOf({});
  expect('outOfOrderMs' in database).toBe(false);
  expect('exemplarsMax' in database).toBe(false);
});
