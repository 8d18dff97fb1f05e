// One-time certificates for the mutual TLS between a host and a plugin, as hashicorp/go-plugin's AutoMTLS
// makes them: self-signed ECDSA, for "localhost", trusted by nobody but the one peer it is handed to. X.509
// (RFC 5280) in DER is written by hand, for Node.js signs and reads certificates but issues none.

import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';

/** A certificate and its key. */
export interface Identity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What makes one certificate differ from another. */
export interface CertificateOptions {
  /** Unix ms. */
  readonly now: number;
  /** Fills with random bytes. */
  readonly fillRandom: (bytes: Uint8Array) => void;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const SEQUENCE = 0x30;
const SET = 0x31;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

const ECDSA_WITH_SHA256 = oid(1, 2, 840, 10045, 4, 3, 2);
const COMMON_NAME = oid(2, 5, 4, 3);
const ORGANIZATION = oid(2, 5, 4, 10);
const SUBJECT_ALT_NAME = oid(2, 5, 29, 17);
const BASIC_CONSTRAINTS = oid(2, 5, 29, 19);
const KEY_USAGE = oid(2, 5, 29, 15);
const EXTENDED_KEY_USAGE = oid(2, 5, 29, 37);
const SERVER_AUTH = oid(1, 3, 6, 1, 5, 5, 7, 3, 1);
const CLIENT_AUTH = oid(1, 3, 6, 1, 5, 5, 7, 3, 2);

/** Valid a little before now, for clocks that differ, and longer than any process lives. */
const BEFORE_MS = 30_000;
const LIFETIME_MS = 262_980 * 3_600_000;
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);

/** Makes a key pair on P-256 and a certificate for it. */
export function newIdentity({ now, fillRandom }: CertificateOptions): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = new Uint8Array(16);
  fillRandom(serial);
  // Positive and without leading zeros, as DER wants integers.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
  const name = der(
    SEQUENCE,
    attribute(COMMON_NAME, 'localhost'),
    attribute(ORGANIZATION, 'Outpost'),
  );
  const signed = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Uint8Array.of(2))),
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, time(now - BEFORE_MS), time(now + LIFETIME_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions())),
  );
  const signature = sign('sha256', signed, { key: privateKey, dsaEncoding: 'der' });
  const certificate = der(
    SEQUENCE,
    signed,
    algorithm,
    der(BIT_STRING, Uint8Array.of(0), signature),
  );
  return {
    certificatePem: pemOf(certificate),
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** The certificate as the handshake carries it: base64 of its DER, without padding. */
export function handshakeText({ certificatePem }: Identity): string {
  return new X509Certificate(certificatePem).raw.toString('base64').replace(/=+$/, '');
}

/** The certificate of a handshake as PEM. Throws Error where the text is none. */
export function handshakePem(text: string): string {
  return pemOf(new X509Certificate(Buffer.from(text, 'base64')).raw);
}

/** True where certificate and key are a pair and can be read. */
export function isIdentity({ certificatePem, keyPem }: Identity): boolean {
  return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
}

function extensions(): Uint8Array[] {
  return [
    // digitalSignature, keyEncipherment, keyAgreement, keyCertSign.
    extension(KEY_USAGE, true, der(BIT_STRING, Uint8Array.of(2, 0b1010_1100))),
    extension(EXTENDED_KEY_USAGE, false, der(SEQUENCE, CLIENT_AUTH, SERVER_AUTH)),
    extension(BASIC_CONSTRAINTS, true, der(SEQUENCE, TRUE)),
    extension(SUBJECT_ALT_NAME, false, der(SEQUENCE, der(0x82, ascii('localhost')))),
  ];
}

function extension(id: Uint8Array, critical: boolean, value: Uint8Array): Uint8Array {
  return der(SEQUENCE, id, ...(critical ? [TRUE] : []), der(OCTET_STRING, value));
}

function attribute(id: Uint8Array, text: string): Uint8Array {
  return der(SET, der(SEQUENCE, id, der(UTF8_STRING, ascii(text))));
}

// Years up to 2049 have two digits (RFC 5280, 4.1.2.5).
function time(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(text.slice(0, 4)) < 2050
    ? der(UTC_TIME, ascii(text.slice(2)))
    : der(GENERALIZED_TIME, ascii(text));
}

function oid(first: number, second: number, ...rest: readonly number[]): Uint8Array {
  const bytes = rest.flatMap(arc => {
    const septets = [arc & 0x7f];
    for (let more = arc >> 7; more > 0; more >>= 7) septets.unshift((more & 0x7f) | 0x80);
    return septets;
  });
  return der(OBJECT_ID, Uint8Array.of(first * 40 + second, ...bytes));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
