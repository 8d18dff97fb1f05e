// Parameters of requests, by name.

import { either, integer, list, type Schema, text } from './schema.ts';

/** A parameter in the URL or, with POST, in the form. */
export interface ParameterDocs {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  readonly required?: boolean;
}

const time = either({ type: 'string', format: 'date-time' }, { type: 'number' });
const duration = either({ type: 'string', format: 'duration' }, { type: 'number' });

function parameter(name: string, schema: Schema, description: string): ParameterDocs {
  return { name, schema, description };
}

/** Makes a parameter one that must be given. */
export function needed(docs: ParameterDocs): ParameterDocs {
  return { ...docs, required: true };
}

export const query: ParameterDocs = needed(parameter('query', text, 'A PromQL expression.'));
export const evaluation: readonly ParameterDocs[] = [
  parameter(
    'timeout',
    duration,
    'Longest time the query may take; never longer than the server’s.',
  ),
  parameter('limit', integer, 'Most series in the answer; 0 is no limit.'),
  parameter('lookback_delta', duration, 'How long a sample counts as current.'),
  parameter('stats', text, 'Anything but nothing adds statistics.'),
];
export const at: ParameterDocs = parameter('time', time, 'The moment of evaluation; default now.');
export const start: ParameterDocs = parameter('start', time, 'First moment, inclusive.');
export const end: ParameterDocs = parameter('end', time, 'Last moment, inclusive.');
export const step: ParameterDocs = parameter('step', duration, 'Distance between two moments.');
export const analyze: ParameterDocs = parameter(
  'analyze',
  { type: 'boolean' },
  'False estimates without evaluating.',
);
export const match: ParameterDocs = parameter('match[]', list(text), 'Selectors of series.');
export const limit: ParameterDocs = parameter('limit', integer, 'Most entries in the answer.');
export const metric: ParameterDocs = parameter('metric', text, 'The name of one metric.');
export const limitPerMetric: ParameterDocs = parameter(
  'limit_per_metric',
  integer,
  'Most entries for each metric.',
);
export const scrapePool: ParameterDocs = parameter('scrapePool', text, 'The name of one pool.');
export const state: ParameterDocs = parameter('state', text, '`active`, `dropped` or `any`.');
export const matchTarget: ParameterDocs = parameter('match_target', text, 'Selector of targets.');
export const labelObject: ParameterDocs = parameter('labels', text, 'Labels as a JSON object.');
export const namePattern: ParameterDocs = parameter(
  'metric_name_pattern',
  text,
  'RE2 that the whole name must match.',
);
export const skipHead: ParameterDocs = parameter(
  'skip_head',
  { type: 'boolean' },
  'Leaves out what is not in blocks yet.',
);
export const rules: readonly ParameterDocs[] = [
  parameter('type', text, '`alert` or `record`.'),
  parameter('rule_name[]', list(text), 'Names of rules.'),
  parameter('rule_group[]', list(text), 'Names of groups.'),
  parameter('file[]', list(text), 'Files of rules.'),
  match,
  parameter('exclude_alerts', text, 'Leaves out active alerts.'),
  parameter('group_limit', integer, 'Most groups in the answer.'),
  parameter('group_next_token', text, 'Where the answer before has ended.'),
];
/** What a querier takes beside. */
export const tier: readonly ParameterDocs[] = [
  parameter('dedup', { type: 'boolean' }, 'Querier: join replicas.'),
  parameter('replicaLabels[]', list(text), 'Querier: labels that tell replicas apart.'),
  parameter('partial_response', { type: 'boolean' }, 'Querier: answer with what there is.'),
  parameter('storeMatch[]', list(text), 'Querier: selectors of endpoints by `__address__`.'),
];
