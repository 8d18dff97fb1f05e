// How an outgoing connection is made, as Prometheus' HTTP client block says it. Plain data, so that two are
// compared as text; files are read when a request needs them, so that secrets may change on disk.

/** A secret in place or in a file. */
export interface Secret {
  readonly text?: string;
  readonly file?: string;
}

export interface BasicAuth {
  readonly username: Secret;
  readonly password: Secret;
}

/** The Authorization header: `type credentials`. */
export interface Authorization {
  readonly type: string;
  readonly credentials: Secret;
}

/** OAuth 2.0 by client credentials. */
export interface OAuth2 {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly endpointParams: Readonly<Record<string, string>>;
  /** How the token endpoint is reached; it has no authorization of its own. */
  readonly client: HttpClientOptions;
}

export interface TlsOptions {
  readonly ca?: Secret;
  readonly cert?: Secret;
  readonly key?: Secret;
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface ProxyOptions {
  readonly url: string;
  /** For requests to https; the same as `url` where absent. */
  readonly httpsUrl?: string;
  /** Hosts reached directly: names, domains, addresses and networks, divided by commas; `*` is all. */
  readonly noProxy: string;
  readonly connectHeader: Readonly<Record<string, readonly string[]>>;
}

/** Values of one header of one's own; each value is a header line. */
export interface HeaderValues {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
  readonly files: readonly string[];
}

/** At most one of basicAuth, authorization and oauth2 is there. */
export interface HttpClientOptions {
  readonly basicAuth?: BasicAuth;
  readonly authorization?: Authorization;
  readonly oauth2?: OAuth2;
  readonly tls: TlsOptions;
  readonly proxy?: ProxyOptions;
  readonly followRedirects: boolean;
  readonly headers: Readonly<Record<string, HeaderValues>>;
}

/** A client without anything special. */
export const HTTP_CLIENT_DEFAULTS: HttpClientOptions = {
  tls: { insecureSkipVerify: false },
  followRedirects: true,
  headers: {},
};
