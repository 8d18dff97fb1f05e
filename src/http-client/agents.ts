// The connections of one client: kept open between requests, made anew when a certificate on disk changes.

import { statSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import type { Secret, TlsOptions } from './options.ts';
import { secretFile } from './secret.ts';

/** Connections to one host that are kept though nobody uses them. */
const FREE_SOCKETS_MAX = 4;

/** One client's agents. */
export class ConnectionAgents {
  readonly #tls: TlsOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX });
  #https: HttpsAgent | null = null;
  #stamp = '';

  constructor(tls: TlsOptions) {
    this.#tls = tls;
  }

  get http(): HttpAgent {
    return this.#http;
  }

  /** Throws `unavailable` where a certificate cannot be read. */
  https(): HttpsAgent {
    const stamp = this.#fileStamp();
    if (this.#https !== null && stamp === this.#stamp) return this.#https;
    const tls = this.tlsOptions();
    this.#https?.destroy();
    this.#stamp = stamp;
    this.#https = new HttpsAgent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX, ...tls });
    return this.#https;
  }

  /** What a TLS connection takes. Throws `unavailable`. */
  tlsOptions(): AgentOptions {
    const { ca, cert, key, serverName, insecureSkipVerify, minVersion, maxVersion } = this.#tls;
    return {
      rejectUnauthorized: !insecureSkipVerify,
      ...(ca && { ca: pem(ca) }),
      ...(cert && { cert: pem(cert) }),
      ...(key && { key: pem(key) }),
      ...(serverName !== undefined && { servername: serverName }),
      ...(minVersion && { minVersion }),
      ...(maxVersion && { maxVersion }),
    };
  }

  close(): void {
    this.#http.destroy();
    this.#https?.destroy();
  }

  #fileStamp(): string {
    const { ca, cert, key } = this.#tls;
    return [ca, cert, key].map(secret => stampOf(secret?.file)).join();
  }
}

function stampOf(file: string | undefined): string {
  if (file === undefined) return '';
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs}:${stat.size}:${stat.ino}` : 'absent';
}

function pem({ text, file }: Secret): string | Buffer {
  return file === undefined ? (text ?? '') : secretFile(file);
}
