// The query log of a process: where the flag or the configuration names a file, opened anew on SIGHUP.

import { dirname, resolve } from 'node:path';
import type { QueryLog } from '../promql/limits/observers.ts';
import { QueryLogFile, registerQueryLogMetrics } from '../telemetry/queries/query-log.ts';
import type { ProcessContext } from './process.ts';

/** Where queries are to be logged; nowhere where no file is named. */
export interface QueryLogPlace {
  /** The flag, which wins. */
  readonly flag: string | undefined;
  /** `global.query_log_file`; a relative path begins at the configuration file. */
  readonly configured: string | undefined;
  readonly configFile: string | undefined;
}

/** The part of the engine's options that takes what was asked. Throws `unavailable`. */
export function queryLog(
  { flag, configured, configFile = '' }: QueryLogPlace,
  { clock, logger, registry }: Pick<ProcessContext, 'clock' | 'logger' | 'registry'>,
): { readonly log?: QueryLog } {
  const path = flag ?? (configured && resolve(dirname(configFile), configured));
  if (!path) return {};
  const lost = registerQueryLogMetrics(registry);
  const file = new QueryLogFile(path, { now: () => clock.now(), logger, lost });
  process.on('SIGHUP', () => file.reopen());
  return { log: record => file.add(record) };
}
