// Values out of the JSON that programs print, whose shape depends on version, disk and weather.

/** What is at a path such as "smart_status.passed"; undefined where the text has nothing there. */
export function valueAt(json: unknown, path: string): unknown {
  let value = json;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The number at a path, true being 1 and a text read as a number; NaN where there is none. */
export function numberAt(json: unknown, path: string): number {
  const value = valueAt(json, path);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

/** The trimmed text at a path; '' where there is none. */
export function textAt(json: unknown, path: string): string {
  const value = valueAt(json, path);
  return typeof value === 'string' ? value.trim() : '';
}

/** The list at a path; empty where there is none. */
export function listAt(json: unknown, path: string): readonly unknown[] {
  const value = valueAt(json, path);
  return Array.isArray(value) ? value : [];
}

/** Names and values of the object at a path; empty where there is none. */
export function entriesAt(json: unknown, path: string): [string, unknown][] {
  const value = valueAt(json, path);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Reads a text; undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
