// Log lines on standard error in the field's logfmt, or JSON.

/** Least severe level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';
export type LogFields = Readonly<Record<string, unknown>>;

/** Says what happens, in lower case; variable parts go into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with fields that every line carries. */
  child(fields: LogFields): Logger;
}

const SEVERITY: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one line without its newline. */
  readonly write: (line: string) => void;
  /** Unix ms. */
  readonly now: () => number;
}

/** A logger that writes lines at or above its level. `base` fields stand on every line. */
export function newLogger(options: LoggerOptions, base: LogFields = {}): Logger {
  const encode = options.format === 'json' ? JSON.stringify : logfmt;
  const log = (level: LogLevel, message: string, fields?: LogFields): void => {
    if (SEVERITY[level] < SEVERITY[options.level]) return;
    const time = new Date(options.now()).toISOString();
    options.write(encode({ time, level, msg: message, ...base, ...fields }));
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    child: fields => newLogger(options, { ...base, ...fields }),
  };
}

/** Says nothing; for tests. */
export const silentLogger: Logger = newLogger({
  level: 'error',
  format: 'logfmt',
  write: () => {},
  now: () => 0,
});

function logfmt(record: LogFields): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const text = value instanceof Error ? value.message : String(value);
    parts.push(`${key}=${/[\s"=\\]/.test(text) || text === '' ? JSON.stringify(text) : text}`);
  }
  return parts.join(' ');
}
