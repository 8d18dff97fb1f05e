// Options of a collector: declared once, with help and default, and from that come their types, their JSON
// Schema and the check of what an operator wrote.

/** One option: what it is for and what holds where nobody sets it. */
export interface Option<T> {
  readonly help: string;
  readonly fallback: T;
  /** For JSON Schema. */
  readonly type: 'string' | 'boolean' | 'number';
  /** The default as it is written in a configuration. */
  readonly written: string | boolean | number;
  /** The value, or what is wrong with what was written. */
  readonly parse: (written: unknown) => { readonly value: T } | { readonly problem: string };
}

/** A collector's options by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** What the collector gets: a value for each declared option. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never;
};

/** A yes-or-no option. */
export function flag(help: string, fallback: boolean): Option<boolean> {
  return {
    help,
    fallback,
    type: 'boolean',
    written: fallback,
    parse: written =>
      typeof written === 'boolean' ? { value: written } : { problem: 'must be true or false' },
  };
}

/** A number within bounds. */
export function number(
  help: string,
  fallback: number,
  bounds: { readonly min: number; readonly max: number },
): Option<number> {
  return {
    help,
    fallback,
    type: 'number',
    written: fallback,
    parse: written =>
      typeof written === 'number' && written >= bounds.min && written <= bounds.max
        ? { value: written }
        : { problem: `must be a number from ${bounds.min} to ${bounds.max}` },
  };
}

/** A regular expression that is searched for in a name; an empty one is null and stands for "not set". */
export function pattern(help: string, fallback: string): Option<RegExp | null> {
  return {
    help,
    fallback: fallback === '' ? null : new RegExp(fallback),
    type: 'string',
    written: fallback,
    parse(written) {
      if (typeof written !== 'string') return { problem: 'must be a regular expression' };
      try {
        return { value: written === '' ? null : new RegExp(written) };
      } catch (error) {
        return { problem: `is no regular expression: ${(error as Error).message}` };
      }
    },
  };
}

/** Any text; an empty one stands for "not set" where the collector says so. */
export function text(help: string, fallback: string): Option<string> {
  return {
    help,
    fallback,
    type: 'string',
    written: fallback,
    parse: written =>
      typeof written === 'string' ? { value: written } : { problem: 'must be a text' },
  };
}

/** A mistake in what an operator wrote. */
export interface OptionProblem {
  /** The option's name; '' where the options as a whole are wrong. */
  readonly option: string;
  readonly message: string;
}

/** Checks what was written against the declaration; unknown names are mistakes. */
export function parseOptions<O extends Options>(
  declared: O,
  written: Readonly<Record<string, unknown>>,
): { readonly values: OptionValues<O> } | { readonly problems: readonly OptionProblem[] } {
  const problems: OptionProblem[] = [];
  for (const name of Object.keys(written)) {
    if (name in declared) continue;
    const known = Object.keys(declared).join(', ') || 'none';
    problems.push({ option: name, message: `is not an option; known are: ${known}` });
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(declared)) {
    const outcome = name in written ? option.parse(written[name]) : { value: option.fallback };
    if ('problem' in outcome) problems.push({ option: name, message: outcome.problem });
    else values[name] = outcome.value;
  }
  if (problems.length > 0) return { problems };
  return { values: values as OptionValues<O> };
}

/** The declaration as JSON Schema (2020-12). */
export function optionsSchema(declared: Options): object {
  const properties = Object.entries(declared).map(([name, option]) => [
    name,
    { type: option.type, default: option.written, description: option.help },
  ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}
