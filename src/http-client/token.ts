// OAuth 2.0 client credentials: one token for many requests, asked for anew shortly before it expires.
// Protocol: RFC 6749, section 4.4.

import { OutpostError } from '../lifecycle/errors.ts';
import type { OAuth2 } from './options.ts';
import { secretText } from './secret.ts';

/** How long before its end a token is no longer used. */
const EARLY_MS = 10_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

/** Sends a form to the token endpoint; resolves to status and body. */
export type PostForm = (
  url: string,
  form: string,
  headers: Readonly<Record<string, string>>,
  limits: { readonly signal: AbortSignal; readonly bodyBytesMax: number },
) => Promise<{ readonly status: number; readonly body: Uint8Array }>;

/** The tokens of one client. */
export class TokenSource {
  readonly #options: OAuth2;
  readonly #post: PostForm;
  readonly #now: () => number;
  #token = '';
  #secret = '';
  #expires = 0;

  constructor(options: OAuth2, post: PostForm, now: () => number) {
    this.#options = options;
    this.#post = post;
    this.#now = now;
  }

  /** The Authorization header. Rejects with `unavailable` where no token is to be had. */
  async header(signal: AbortSignal): Promise<string> {
    const secret = secretText(this.#options.clientSecret);
    if (secret !== this.#secret || this.#now() >= this.#expires - EARLY_MS) {
      await this.#renew(secret, signal);
    }
    return this.#token;
  }

  async #renew(secret: string, signal: AbortSignal): Promise<void> {
    const { clientId, scopes, endpointParams, tokenUrl } = this.#options;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...endpointParams });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const user = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`;
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Authorization: `Basic ${Buffer.from(user).toString('base64')}`,
    };
    const limits = { signal, bodyBytesMax: ANSWER_BYTES_MAX };
    const { status, body } = await this.#post(tokenUrl, form.toString(), headers, limits);
    if (status !== 200) throw refused(tokenUrl, `it answered ${status}`);
    const answer = parseAnswer(body);
    if (!answer) throw refused(tokenUrl, 'its answer has no access_token');
    this.#token = `${answer.type} ${answer.token}`;
    this.#secret = secret;
    this.#expires = this.#now() + answer.lifeMs;
  }
}

function refused(url: string, reason: string): OutpostError {
  return new OutpostError('unavailable', `ask ${url} for a token: ${reason}`);
}

function parseAnswer(body: Uint8Array): { token: string; type: string; lifeMs: number } | null {
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  const { access_token: token, token_type: type, expires_in: seconds } = answer as TokenAnswer;
  if (typeof token !== 'string' || token === '') return null;
  const isBearer = typeof type !== 'string' || type.toLowerCase() === 'bearer';
  // A token that says nothing of its end is used until somebody refuses it; an hour is what most live.
  const life = Number(seconds ?? 3600);
  return { token, type: isBearer ? 'Bearer' : type, lifeMs: life > 0 ? life * 1000 : 3_600_000 };
}

interface TokenAnswer {
  readonly access_token?: unknown;
  readonly token_type?: unknown;
  readonly expires_in?: unknown;
}
