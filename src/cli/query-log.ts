// The query log of a process: where the flag names a file, opened anew on SIGHUP.

import type { QueryLog } from '../promql/limits/observers.ts';
import { QueryLogFile, registerQueryLogMetrics } from '../telemetry/queries/query-log.ts';
import type { EngineFlags } from './engine-flags.ts';
import type { ProcessContext } from './process.ts';

/** The part of the engine's options that takes what was asked. Throws `unavailable`. */
export function queryLog(
  flags: Pick<EngineFlags, 'query.logFile'>,
  { clock, logger, registry }: Pick<ProcessContext, 'clock' | 'logger' | 'registry'>,
): { readonly log?: QueryLog } {
  const path = flags['query.logFile'];
  if (path === undefined) return {};
  const lost = registerQueryLogMetrics(registry);
  const file = new QueryLogFile(path, { now: clock.now, logger, lost });
  process.on('SIGHUP', () => file.reopen());
  return { log: record => file.add(record) };
}
