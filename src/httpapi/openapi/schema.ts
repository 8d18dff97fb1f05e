// Schemas as OpenAPI 3.1 and 3.2 write them (JSON Schema 2020-12), and short ways to say them.

/** A schema; only the keywords that answers here need. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
}

export const text: Schema = { type: 'string' };
export const integer: Schema = { type: 'integer', format: 'int64' };
export const decimal: Schema = { type: 'number', format: 'double' };
export const truth: Schema = { type: 'boolean' };
export const moment: Schema = { type: 'string', format: 'date-time' };
/** Anything that JSON can say. */
export const anything: Schema = {};

/** Any number of one kind. */
export function list(items: Schema): Schema {
  return { type: 'array', items };
}

/** One of several shapes. */
export function either(...anyOf: readonly Schema[]): Schema {
  return { anyOf };
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): Schema {
  return { type: 'string', enum: words };
}

/** Any keys, with values of one kind. */
export function mapOf(additionalProperties: Schema): Schema {
  return { type: 'object', additionalProperties };
}

/** Exactly these keys; the optional ones may be absent. */
export function record(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter(key => !optional.includes(key));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A schema among the components. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
