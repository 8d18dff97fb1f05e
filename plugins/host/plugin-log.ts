// What a plugin writes to its standard streams, as lines of our own log: hclog's JSON is taken apart, level
// prefixes are honoured, a panic stays an error to its end, and a flood is cut and counted.

import type { LogFields, Logger, LogLevel } from '../../src/telemetry/logger.ts';

/** Lines logged within a second; the rest is counted. */
const LINES_PER_SECOND = 50;
/** Lines kept to explain an exit, and how much of each. */
const TAIL_LINES = 20;
const TAIL_LINE_LENGTH = 400;
const MESSAGE_LENGTH = 2_000;

/** A line as our log takes it. */
export interface ParsedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
};

/** Reads a line of a plugin's stderr; null level information means `untagged` is used. */
export function parseLogLine(line: string, untagged: LogLevel): ParsedLine {
  if (line.startsWith('{')) {
    const parsed = parseHclog(line);
    if (parsed) return parsed;
  }
  const [, tag, rest] = /^\[(TRACE|DEBUG|INFO|WARN|ERROR)\]\s*(.*)$/s.exec(line) ?? [];
  if (tag !== undefined) return { level: LEVELS[tag.toLowerCase()]!, message: rest!, fields: {} };
  return { level: untagged, message: line, fields: {} };
}

function parseHclog(line: string): ParsedLine | null {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof record !== 'object' || record === null) return null;
  const {
    '@level': level,
    '@message': message,
    '@timestamp': _,
    '@module': module,
    ...fields
  } = record as Record<string, unknown>;
  if (typeof level !== 'string' || typeof message !== 'string') return null;
  const simple = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === 'object' ? JSON.stringify(value) : value,
  ]);
  return {
    level: LEVELS[level.toLowerCase()] ?? 'info',
    message,
    fields: { ...(module !== undefined && { module }), ...Object.fromEntries(simple) },
  };
}

/** Go prints the reason and then pages of stack. */
function startsPanic(line: string): boolean {
  return line.startsWith('panic: ') || line.startsWith('fatal error: ');
}

/** One plugin process's log. */
export class PluginLog {
  readonly #logger: Logger;
  readonly #monotonic: () => number;
  readonly #onDropped: () => void;
  readonly #tail: string[] = [];
  #panicking = false;
  #windowStarted = -Infinity;
  #inWindow = 0;

  /** `onDropped` runs for each line that is not logged because there are too many. */
  constructor(logger: Logger, monotonic: () => number, onDropped: () => void) {
    this.#logger = logger;
    this.#monotonic = monotonic;
    this.#onDropped = onDropped;
  }

  /** The last lines of stderr, to explain an exit. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  /** Takes a line of stderr. */
  stderr(line: string): void {
    if (line.trim() === '') return;
    this.#tail.push(line.slice(0, TAIL_LINE_LENGTH));
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    this.#panicking ||= startsPanic(line);
    const { level, message, fields } = parseLogLine(line, this.#panicking ? 'error' : 'info');
    this.#log(level, message, fields);
  }

  /** Takes a line of stdout; nothing but the handshake belongs there. */
  stdout(line: string, level: LogLevel = 'info'): void {
    if (line.trim() !== '') this.#log(level, line, { stream: 'stdout' });
  }

  #log(level: LogLevel, message: string, fields: LogFields): void {
    const now = this.#monotonic();
    if (now - this.#windowStarted >= 1000) {
      if (this.#inWindow > LINES_PER_SECOND) {
        const dropped = this.#inWindow - LINES_PER_SECOND;
        this.#logger.warn('plugin logs too fast, lines were dropped', { dropped });
      }
      this.#windowStarted = now;
      this.#inWindow = 0;
    }
    if (++this.#inWindow > LINES_PER_SECOND) this.#onDropped();
    else this.#logger[level](message.slice(0, MESSAGE_LENGTH), fields);
  }
}
