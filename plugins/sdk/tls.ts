// How a host and a plugin secure what runs between them: mutual TLS in which each side trusts exactly the
// other's one-time certificate, or nothing where the host did not offer it.

import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import type { Identity } from './certificate.ts';

/** Both certificates; null where the socket's permissions are all there is. */
export type Security = {
  readonly own: Identity;
  /** The peer's certificate, PEM. */
  readonly peerPem: string;
} | null;

/** Channel options that go with the credentials: certificates are for "localhost", whatever the address. */
export const TLS_CHANNEL_OPTIONS: Readonly<Record<string, string>> = {
  'grpc.ssl_target_name_override': 'localhost',
};

/** Credentials of the side that listens. Others than the peer are refused. */
export function serverCredentials(security: Security): ServerCredentials {
  if (security === null) return ServerCredentials.createInsecure();
  const { own, peerPem } = security;
  return ServerCredentials.createSsl(
    Buffer.from(peerPem),
    [{ cert_chain: Buffer.from(own.certificatePem), private_key: Buffer.from(own.keyPem) }],
    true,
  );
}

/** Credentials of the side that connects. */
export function channelCredentials(security: Security): ChannelCredentials {
  if (security === null) return credentials.createInsecure();
  const { own, peerPem } = security;
  return credentials.createSsl(
    Buffer.from(peerPem),
    Buffer.from(own.keyPem),
    Buffer.from(own.certificatePem),
  );
}
