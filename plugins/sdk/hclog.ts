// Log lines as go-plugin hosts read them from a plugin's stderr: one JSON object a line with @level,
// @message and @timestamp, the rest being fields (github.com/hashicorp/go-hclog).

import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

/** A logger whose lines a host takes apart again. `write` gets each line without its newline. */
export function newHclogLogger(
  write: (line: string) => void,
  now: () => number,
  base: LogFields = {},
): Logger {
  const log = (level: string, message: string, fields?: LogFields): void => {
    const timestamp = new Date(now()).toISOString();
    write(
      JSON.stringify({
        '@level': level,
        '@message': message,
        '@timestamp': timestamp,
        ...base,
        ...fields,
      }),
    );
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    child: fields => newHclogLogger(write, now, { ...base, ...fields }),
  };
}
