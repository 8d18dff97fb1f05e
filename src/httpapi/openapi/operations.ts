// What each path is for, takes and answers. Which methods it has, and whether it is served at all, is up to the
// routes.

import * as p from './parameters.ts';
import { anything, either, list, mapOf, record, ref, type Schema, text } from './schema.ts';

/** One path. Exactly one of data and content says what it answers. */
export interface OperationDocs {
  readonly tag: string;
  readonly summary: string;
  readonly parameters?: readonly p.ParameterDocs[];
  /** `data` of the success envelope. */
  readonly data?: Schema;
  /** Media types of any other answer. */
  readonly content?: readonly string[];
  /** Media types of a body that is no form. */
  readonly body?: readonly string[];
}

const TEXT = ['text/plain'];
const PROTOBUF = ['application/x-protobuf'];
const range = [p.start, p.end];

function get(
  tag: string,
  summary: string,
  data: Schema,
  parameters: OperationDocs['parameters'] = [],
) {
  return { tag, summary, data, parameters };
}

/** By path from the root. */
export const OPERATIONS: Readonly<Record<string, OperationDocs>> = {
  '/api/v1/query': get('query', 'Evaluates at one time', ref('QueryData'), [
    ...[p.query, p.at, ...p.evaluation, ...p.tier],
  ]),
  '/api/v1/query_range': get('query', 'Evaluates over a range', ref('QueryData'), [
    ...[p.query, ...[...range, p.step].map(p.needed), ...p.evaluation, ...p.tier],
  ]),
  '/api/v1/query_explain': get('query', 'Explains what a query reads', ref('Explanation'), [
    ...[p.query, p.at, ...range, p.step, p.analyze, ...p.evaluation.slice(0, 3), ...p.tier],
  ]),
  '/api/v1/query_exemplars': get(
    'query',
    'Exemplars of the series a query reads',
    list(ref('SeriesExemplars')),
    [p.query, ...range],
  ),
  '/api/v1/format_query': get('query', 'The canonical spelling of a query', text, [p.query]),
  '/api/v1/parse_query': get('query', 'The tree of a query', anything, [p.query]),
  '/api/v1/series': get('series', 'Which series exist', list(ref('Labels')), [
    ...[p.needed(p.match), ...range, p.limit, ...p.tier],
  ]),
  '/api/v1/labels': get('labels', 'Names of labels', list(text), [
    ...[p.match, ...range, p.limit, ...p.tier],
  ]),
  '/api/v1/label/:name/values': get('labels', 'Values of a label', list(text), [
    ...[p.match, ...range, p.limit, ...p.tier],
  ]),
  '/api/v1/metadata': get('metadata', 'What metrics mean', mapOf(list(ref('Metadata'))), [
    ...[p.metric, p.limit, p.limitPerMetric],
  ]),
  '/api/v1/targets': get(
    'targets',
    'What is collected from',
    record({
      activeTargets: list(ref('Target')),
      droppedTargets: list(anything),
      droppedTargetCounts: mapOf({ type: 'integer' }),
    }),
    [p.state, p.scrapePool],
  ),
  '/api/v1/targets/metadata': get(
    'targets',
    'What metrics of targets mean',
    list(ref('TargetMetadata')),
    [p.matchTarget, p.metric, p.limit],
  ),
  '/api/v1/targets/relabel_steps': get(
    'targets',
    'What each rule of a pool makes of labels',
    record({ steps: list(anything) }),
    [p.needed(p.scrapePool), p.needed(p.labelObject)],
  ),
  '/api/v1/scrape_pools': get('targets', 'Names of pools', record({ scrapePools: list(text) })),
  '/api/v1/plugins': get(
    'plugins',
    'Plugins and how they fare',
    record({ plugins: list(ref('Plugin')) }),
  ),
  '/api/v1/plugins/:name/restart': {
    ...{ tag: 'plugins', summary: 'Starts a plugin anew, out of quarantine too' },
    data: record({ plugin: text }),
  },
  '/api/v1/rules': get('rules', 'Rules', record({ groups: list(anything) }), p.rules),
  '/api/v1/alerts': get('alerts', 'Alerts', record({ alerts: list(anything) })),
  '/api/v1/alertmanagers': get(
    'alerts',
    'Alertmanagers',
    record({ activeAlertmanagers: list(anything), droppedAlertmanagers: list(anything) }),
  ),
  '/api/v1/status/buildinfo': get('status', 'Which build this is', ref('BuildInfo')),
  '/api/v1/status/config': get('status', 'The configuration', record({ yaml: text })),
  '/api/v1/status/flags': get('status', 'Flags as they took effect', mapOf(text)),
  '/api/v1/status/runtimeinfo': get('status', 'The process', mapOf(either(text, anything))),
  '/api/v1/status/tsdb': get('status', 'The head in numbers', ref('StoreStats'), [p.limit]),
  '/api/v1/status/tsdb/blocks': get(
    'status',
    'Blocks on disk',
    record({ blocks: list(ref('Block')) }),
  ),
  '/api/v1/status/walreplay': get('status', 'How far the replay of the log is', mapOf(anything)),
  '/api/v1/status/self_metrics': get('status', 'The process’s own metrics', list(anything), [
    p.namePattern,
  ]),
  '/api/v1/stores': get('status', 'Querier: endpoints by kind', mapOf(list(anything))),
  '/api/v1/features': get('features', 'What this server can do', mapOf(mapOf({ type: 'boolean' }))),
  '/api/v1/notifications': get(
    'notifications',
    'What lasts and should be known',
    list(ref('Notification')),
  ),
  '/api/v1/notifications/live': {
    tag: 'notifications',
    summary: 'The same as it changes',
    content: ['text/event-stream'],
  },
  '/api/v1/admin/tsdb/snapshot': get('admin', 'Writes a snapshot', record({ name: text }), [
    p.skipHead,
  ]),
  '/api/v1/admin/tsdb/delete_series': {
    ...{ tag: 'admin', summary: 'Deletes samples', content: [] },
    parameters: [p.needed(p.match), ...range],
  },
  '/api/v1/admin/tsdb/clean_tombstones': {
    ...{ tag: 'admin', summary: 'Frees the space of what was deleted', content: [] },
  },
  '/api/v1/read': {
    ...{ tag: 'remote', summary: 'Remote read', body: PROTOBUF },
    content: [...PROTOBUF, 'application/x-streamed-protobuf'],
  },
  '/api/v1/write': { tag: 'remote', summary: 'Remote write', body: PROTOBUF, content: [] },
  '/api/v1/openapi.yaml': {
    ...{ tag: 'status', summary: 'This document', content: ['application/yaml'] },
    parameters: [
      { name: 'openapi_version', schema: text, description: '`3.1`, the default, or `3.2`.' },
    ],
  },
  '/federate': {
    ...{ tag: 'remote', summary: 'Newest samples, to be scraped', content: TEXT },
    parameters: [p.match, ...p.tier],
  },
  '/metrics': {
    ...{ tag: 'status', summary: 'The metrics, to be scraped' },
    content: [...TEXT, 'application/openmetrics-text', 'application/vnd.google.protobuf'],
  },
  '/-/healthy': { tag: 'status', summary: 'Whether the process runs', content: TEXT },
  '/-/ready': { tag: 'status', summary: 'Whether it can answer', content: TEXT },
  '/-/reload': { tag: 'admin', summary: 'Reads the configuration again', content: TEXT },
  '/-/quit': { tag: 'admin', summary: 'Ends the process', content: TEXT },
  '/': { tag: 'status', summary: 'A page with links', content: ['text/html'] },
};
