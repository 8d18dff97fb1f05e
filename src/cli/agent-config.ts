// The agent's configuration file: its schema. How it and the flags become one set of settings is in
// agent-settings.ts.

import Type, { type Static } from 'typebox';
import {
  closed,
  Duration,
  LabelSet,
  PositiveDuration,
  QueryLogPath,
  Size,
} from './config-values.ts';
import { processSettings } from './plugin-config.ts';
import { RetentionPolicies } from './retention-policies.ts';
import { ScrapeConfigsSchema, scrapeDefaults } from './scrape/scrape-schema.ts';

const CollectorSettings = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: 'Whether the collector runs.' })),
    options: Type.Optional(
      // Checked by the plugin, which names what it does not know.
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'The collector\u2019s own options.',
      }),
    ),
  },
  closed,
);

/** Keys of one plugin. */
export const pluginSettings = {
  enabled: Type.Optional(Type.Boolean({ description: 'Whether the plugin is started.' })),
  command: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Executable and arguments. Built-in plugins need none.',
    }),
  ),
  max_series: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Most series the plugin may have. Default 100000.' }),
  ),
  collectors: Type.Optional(
    Type.Record(Type.String(), CollectorSettings, {
      description: 'Settings of single collectors, by name.',
    }),
  ),
  ...processSettings,
};

const PluginSettings = Type.Object(
  {
    ...pluginSettings,
    own_process: Type.Optional(
      Type.Boolean({
        description:
          'Whether a built-in set of collectors has a process of its own. Default false, unless something else is said of its process: max_series, limits, user, env.',
      }),
    ),
  },
  closed,
);

/** Schema of the agent's file; `npm run schemas` writes it to config/agent.schema.json. */
export const AgentConfigSchema = Type.Object(
  {
    global: Type.Optional(
      Type.Object(
        {
          collect_interval: Type.Optional(
            PositiveDuration('How often collectors run. Default 15s.'),
          ),
          external_labels: Type.Optional(
            LabelSet('Labels that tell this agent from all others; announced over StoreAPI.'),
          ),
          query_log_file: Type.Optional(QueryLogPath),
          ...scrapeDefaults,
        },
        closed,
      ),
    ),
    storage: Type.Optional(
      Type.Object(
        {
          retention: Type.Optional(
            Type.Object(
              {
                time: Type.Optional(
                  Duration('How long samples are kept; 0 is for ever. Default 15d.'),
                ),
                size: Type.Optional(Size('Most bytes kept; 0 is no limit. Default 0.')),
                policies: Type.Optional(RetentionPolicies),
              },
              closed,
            ),
          ),
          cold_after: Type.Optional(
            Duration(
              'Age from which blocks are kept in a denser form that Prometheus cannot read; 0 is never. Default 0.',
            ),
          ),
          min_free_bytes: Type.Optional(
            Size(
              'Room kept free on the disk: the oldest blocks are deleted early where there is less; 0 is never. Default 128MiB, but no more than a twentieth of the disk.',
            ),
          ),
          series_max: Type.Optional(
            Type.Integer({ minimum: 1, description: 'Most series in memory. Default 1000000.' }),
          ),
          tsdb: Type.Optional(
            Type.Object(
              {
                out_of_order_time_window: Type.Optional(
                  Duration(
                    'How far behind the newest sample others may come late, out of order; 0 refuses them. Default 10m.',
                  ),
                ),
              },
              closed,
            ),
          ),
          exemplars: Type.Optional(
            Type.Object(
              {
                max_exemplars: Type.Optional(
                  Type.Integer({
                    minimum: 0,
                    maximum: 10_000_000,
                    description:
                      'Most exemplars in memory, of all series together; 0 keeps none. Default 100000.',
                  }),
                ),
              },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    scrape_configs: Type.Optional(ScrapeConfigsSchema),
    plugins: Type.Optional(
      Type.Record(Type.String(), PluginSettings, {
        description:
          'Plugins by name. "os" and "hardware" are built in, share a process and run unless they are disabled.',
      }),
    ),
  },
  { ...closed, $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'outpost agent' },
);

/** The agent's file as parsed. */
export type AgentConfig = Static<typeof AgentConfigSchema>;
