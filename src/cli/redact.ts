// A configuration as it may be shown: secrets are replaced, as Prometheus does.

const SECRET_KEYS = [
  'bearer_token',
  'client_secret',
  'credentials',
  'key',
  'password',
  'proxy_connect_header',
  'secrets',
];
const SHOWN = '<secret>';

/** A copy in which whatever stands under a key of secrets, or before a URL's host, is not readable. */
export function withoutSecrets(value: unknown, key = ''): unknown {
  if (SECRET_KEYS.includes(key)) return hidden(value);
  if (Array.isArray(value)) return value.map(one => withoutSecrets(one));
  if (typeof value === 'string') return value.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, `$1:${SHOWN}@`);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, withoutSecrets(child, name)]),
  );
}

function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== 'object' || value === null) return SHOWN;
  return Object.fromEntries(Object.keys(value).map(name => [name, SHOWN]));
}
