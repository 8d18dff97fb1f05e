// The HTTP client block of a configuration: its schema, what a schema cannot say, and what it means.

import { resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import type {
  HeaderValues,
  HttpClientOptions,
  OAuth2,
  ProxyOptions,
  Secret,
  TlsOptions,
  TlsVersion,
} from '../../http-client/options.ts';
import type { Mistake } from '../config-file.ts';
import { closed } from '../config-values.ts';

const text = (description: string) => Type.Optional(Type.String({ description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const texts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));
const version = (description: string) =>
  Type.Optional(
    Type.Union(
      ['TLS10', 'TLS11', 'TLS12', 'TLS13'].map(name => Type.Literal(name)),
      { description, examples: ['TLS12'] },
    ),
  );

const TlsSchema = Type.Object(
  {
    ca: text('Certificates that are trusted, as PEM text.'),
    ca_file: text('File with the certificates that are trusted.'),
    cert: text('The client’s own certificate, as PEM text.'),
    cert_file: text('File with the client’s own certificate.'),
    key: text('The key of the client’s certificate, as PEM text.'),
    key_file: text('File with the key.'),
    server_name: text('The name the server’s certificate must have, where it is not the address.'),
    insecure_skip_verify: flag('Take any certificate. Default false.'),
    min_version: version('Oldest version of TLS.'),
    max_version: version('Newest version of TLS.'),
  },
  { ...closed, description: 'TLS.' },
);

const proxyKeys = {
  proxy_url: text('The proxy that requests go through.'),
  no_proxy: text('Hosts that are reached directly, divided by commas.'),
  proxy_from_environment: flag('Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.'),
  proxy_connect_header: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), {
      description: 'Headers of requests to the proxy for a tunnel.',
    }),
  ),
};

const BasicAuthSchema = Type.Object(
  {
    username: text('User.'),
    username_file: text('File with the user.'),
    password: text('Password.'),
    password_file: text('File with the password.'),
  },
  { ...closed, description: 'Basic authentication.' },
);

const OAuth2Schema = Type.Object(
  {
    client_id: Type.String({ minLength: 1, description: 'Name of the client.' }),
    client_secret: text('Secret of the client.'),
    client_secret_file: text('File with the secret.'),
    token_url: Type.String({ minLength: 1, description: 'Where tokens are had.' }),
    scopes: texts('Scopes that are asked for.'),
    endpoint_params: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Further parameters of the request for a token.',
      }),
    ),
    tls_config: Type.Optional(TlsSchema),
    ...proxyKeys,
  },
  { ...closed, description: 'OAuth 2.0 with client credentials.' },
);

/** The keys of the block, to be spread into what has it. */
export const httpClientKeys = {
  basic_auth: Type.Optional(BasicAuthSchema),
  authorization: Type.Optional(
    Type.Object(
      {
        type: text('First word of the header. Default Bearer.'),
        credentials: text('Rest of the header.'),
        credentials_file: text('File with the rest of the header.'),
      },
      { ...closed, description: 'The Authorization header.' },
    ),
  ),
  oauth2: Type.Optional(OAuth2Schema),
  bearer_token: text('The same as credentials under authorization.'),
  bearer_token_file: text('The same as credentials_file under authorization.'),
  tls_config: Type.Optional(TlsSchema),
  ...proxyKeys,
  follow_redirects: flag('Go where an answer points to. Default true.'),
  enable_http2: flag('Read for compatibility: HTTP/1.1 is spoken.'),
  http_headers: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object(
        {
          values: texts('Values.'),
          secrets: texts('Values that are not shown.'),
          files: texts('Files with values.'),
        },
        closed,
      ),
      { description: 'Further headers.' },
    ),
  ),
};

const HttpClientSchema = Type.Object(httpClientKeys, closed);

/** The block as parsed. */
export type HttpClientBlock = Static<typeof HttpClientSchema>;
type ProxyBlock = Pick<HttpClientBlock, keyof typeof proxyKeys>;
type TlsBlock = NonNullable<HttpClientBlock['tls_config']>;

const RESERVED_HEADERS = [
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'user-agent',
  'www-authenticate',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-prometheus-remote-read-version',
  'x-prometheus-remote-write-version',
  'x-prometheus-scrape-timeout-seconds',
];

/** What is wrong with a block, at keys below `at`. */
export function* httpClientMistakes(
  block: HttpClientBlock,
  at: readonly string[],
): Generator<Mistake> {
  const { basic_auth: basic, authorization, oauth2 } = block;
  yield* oneOf(block, at, ['bearer_token', 'bearer_token_file']);
  yield* oneOf(basic, [...at, 'basic_auth'], ['username', 'username_file']);
  yield* oneOf(basic, [...at, 'basic_auth'], ['password', 'password_file']);
  yield* oneOf(authorization, [...at, 'authorization'], ['credentials', 'credentials_file']);
  const ways = (
    ['basic_auth', 'authorization', 'oauth2', 'bearer_token', 'bearer_token_file'] as const
  ).filter(key => block[key] !== undefined);
  if (ways.length > 1) {
    yield { keys: [...at, ways[1]!], message: `${ways.join(' and ')} exclude each other` };
  }
  if (authorization?.type?.trim().toLowerCase() === 'basic') {
    const message = 'a user and password go under basic_auth, not under authorization';
    yield { keys: [...at, 'authorization', 'type'], message };
  }
  if (oauth2) {
    const place = [...at, 'oauth2'];
    yield* oneOf(oauth2, place, ['client_secret', 'client_secret_file']);
    if (!URL.canParse(oauth2.token_url)) {
      yield { keys: [...place, 'token_url'], message: `"${oauth2.token_url}" is not a URL` };
    }
    yield* tlsMistakes(oauth2.tls_config, [...place, 'tls_config']);
    yield* proxyMistakes(oauth2, place);
  }
  yield* tlsMistakes(block.tls_config, [...at, 'tls_config']);
  yield* proxyMistakes(block, at);
  for (const name of Object.keys(block.http_headers ?? {})) {
    if (!RESERVED_HEADERS.includes(name.toLowerCase())) continue;
    const message = `the header ${name} is set by the client itself`;
    yield { keys: [...at, 'http_headers', name], message };
  }
}

/** What is wrong with a TLS block. */
export function* tlsMistakes(tls: TlsBlock | undefined, at: readonly string[]): Generator<Mistake> {
  if (!tls) return;
  yield* oneOf(tls, at, ['ca', 'ca_file']);
  yield* oneOf(tls, at, ['cert', 'cert_file']);
  yield* oneOf(tls, at, ['key', 'key_file']);
  const hasCert = Boolean(tls.cert || tls.cert_file);
  const hasKey = Boolean(tls.key || tls.key_file);
  if (hasCert !== hasKey) {
    const message = hasCert ? 'a certificate needs its key' : 'a key needs its certificate';
    yield { keys: [...at, hasCert ? 'cert_file' : 'key_file'], message };
  }
  if (tls.min_version && tls.max_version && tls.min_version > tls.max_version) {
    yield { keys: [...at, 'min_version'], message: 'min_version is newer than max_version' };
  }
}

function* proxyMistakes(block: ProxyBlock, at: readonly string[]): Generator<Mistake> {
  const { proxy_url: url, no_proxy: no, proxy_from_environment: isFromEnvironment } = block;
  if (isFromEnvironment && url) {
    const message = 'proxy_from_environment and proxy_url exclude each other';
    yield { keys: [...at, 'proxy_url'], message };
  }
  if (isFromEnvironment && no) {
    const message = 'proxy_from_environment brings its own no_proxy';
    yield { keys: [...at, 'no_proxy'], message };
  }
  if (no && !url && !isFromEnvironment) {
    yield { keys: [...at, 'no_proxy'], message: 'no_proxy needs a proxy_url' };
  }
  if (url && !URL.canParse(url) && !URL.canParse(`http://${url}`)) {
    yield { keys: [...at, 'proxy_url'], message: `"${url}" is not a URL` };
  }
  const headers = Object.keys(block.proxy_connect_header ?? {});
  if (headers.length > 0 && !url && !isFromEnvironment) {
    const message = 'proxy_connect_header needs a proxy_url or proxy_from_environment';
    yield { keys: [...at, 'proxy_connect_header'], message };
  }
}

function* oneOf<Block extends object>(
  block: Block | undefined,
  at: readonly string[],
  [first, second]: readonly [keyof Block & string, keyof Block & string],
): Generator<Mistake> {
  if (!block?.[first] || !block[second]) return;
  yield { keys: [...at, second], message: `${first} and ${second} exclude each other` };
}

/** What the meaning of a configuration depends on beside its text. */
export interface ConfigPlace {
  /** Directory that relative files are under. */
  readonly directory: string;
  /** Proxies by the variables of the environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a block without mistakes means. */
export function httpClientOptions(block: HttpClientBlock, place: ConfigPlace): HttpClientOptions {
  const { basic_auth: basic, oauth2, http_headers: headers = {} } = block;
  const bearer = secret(block.bearer_token, block.bearer_token_file, place);
  const authorization = block.authorization ?? (bearer ? {} : undefined);
  const proxy = proxyOptions(block, place);
  return {
    ...(basic && {
      basicAuth: {
        username: secret(basic.username, basic.username_file, place) ?? {},
        password: secret(basic.password, basic.password_file, place) ?? {},
      },
    }),
    ...(authorization && {
      authorization: {
        type: authorization.type?.trim() || 'Bearer',
        credentials:
          bearer ?? secret(authorization.credentials, authorization.credentials_file, place) ?? {},
      },
    }),
    ...(oauth2 && { oauth2: oauth2Options(oauth2, place) }),
    tls: tlsOptions(block.tls_config, place),
    ...(proxy && { proxy }),
    followRedirects: block.follow_redirects ?? true,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, one]): [string, HeaderValues] => [
        name,
        {
          values: one.values ?? [],
          secrets: one.secrets ?? [],
          files: (one.files ?? []).map(file => resolve(place.directory, file)),
        },
      ]),
    ),
  };
}

function oauth2Options(block: Static<typeof OAuth2Schema>, place: ConfigPlace): OAuth2 {
  const proxy = proxyOptions(block, place);
  return {
    clientId: block.client_id,
    clientSecret: secret(block.client_secret, block.client_secret_file, place) ?? {},
    tokenUrl: block.token_url,
    scopes: block.scopes ?? [],
    endpointParams: block.endpoint_params ?? {},
    client: {
      tls: tlsOptions(block.tls_config, place),
      ...(proxy && { proxy }),
      followRedirects: true,
      headers: {},
    },
  };
}

const TLS_VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

function tlsOptions(tls: TlsBlock = {}, place: ConfigPlace): TlsOptions {
  const ca = secret(tls.ca, tls.ca_file, place);
  const cert = secret(tls.cert, tls.cert_file, place);
  const key = secret(tls.key, tls.key_file, place);
  const minVersion = tls.min_version && TLS_VERSIONS[tls.min_version];
  const maxVersion = tls.max_version && TLS_VERSIONS[tls.max_version];
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls.server_name && { serverName: tls.server_name }),
    insecureSkipVerify: tls.insecure_skip_verify ?? false,
    ...(minVersion ? { minVersion } : {}),
    ...(maxVersion ? { maxVersion } : {}),
  };
}

function proxyOptions(block: ProxyBlock, { environment }: ConfigPlace): ProxyOptions | undefined {
  const connectHeader = block.proxy_connect_header ?? {};
  if (block.proxy_url)
    return { url: block.proxy_url, noProxy: block.no_proxy ?? '', connectHeader };
  if (!block.proxy_from_environment) return undefined;
  const read = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? '';
  return {
    url: read('HTTP_PROXY'),
    httpsUrl: read('HTTPS_PROXY'),
    noProxy: read('NO_PROXY'),
    connectHeader,
  };
}

function secret(
  inline: string | undefined,
  file: string | undefined,
  { directory }: ConfigPlace,
): Secret | undefined {
  if (file) return { file: resolve(directory, file) };
  return inline === undefined ? undefined : { text: inline };
}

export { HttpClientSchema, TlsSchema };
