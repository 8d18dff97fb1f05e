// The query tier's configuration file.

import Type, { type Static } from 'typebox';
import { closed, QueryLogPath } from './config-values.ts';

/** Schema of the querier's file; `npm run schemas` writes it to config/query.schema.json. */
export const QueryConfigSchema = Type.Object(
  {
    global: Type.Optional(Type.Object({ query_log_file: Type.Optional(QueryLogPath) }, closed)),
    endpoints: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'StoreAPI endpoints: host:port, dns+host:port or unix:path.',
      }),
    ),
    replica_labels: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description:
          'Labels that tell replicas of the same source apart; removed by deduplication.',
      }),
    ),
  },
  { ...closed, $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'outpost query' },
);

/** The querier's file as parsed. */
export type QueryConfig = Static<typeof QueryConfigSchema>;
