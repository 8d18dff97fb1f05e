// One-time certificates, judged by those who read certificates for a living.

import { execFileSync } from 'node:child_process';
import { randomFillSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  handshakePem,
  handshakeText,
  isIdentity,
  newIdentity,
} from '../../../plugins/sdk/certificate.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const fillRandom = (bytes: Uint8Array): void => void randomFillSync(bytes);

describe('a one-time certificate', () => {
  const identity = newIdentity({ now: NOW, fillRandom });
  const certificate = new X509Certificate(identity.certificatePem);

  it('is a certificate of its own key for localhost, valid for thirty years', () => {
    expect(isIdentity(identity)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkHost('example.org')).toBe(undefined);
    expect(certificate.ca).toBe(true);
    expect(certificate.validFrom).toBe('Jan 31 11:59:30 2026 GMT');
    expect(certificate.validTo).toBe('Feb  1 00:00:00 2056 GMT');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
  });

  it('has another serial number and another key each time, whatever the random bytes are', () => {
    const serials = [0x00, 0x7f, 0x80, 0xff].map(byte => {
      const made = newIdentity({ now: NOW, fillRandom: bytes => void bytes.fill(byte) });
      expect(isIdentity(made)).toBe(true);
      return new X509Certificate(made.certificatePem).serialNumber;
    });
    expect(serials.map(serial => serial.length)).toEqual([32, 32, 32, 32]);
    expect(serials.map(serial => serial.slice(0, 2))).toEqual(['40', '7F', '40', '7F']);
  });

  it('survives the handshake, where it has no padding', () => {
    const text = handshakeText(identity);
    expect(text).toMatch(/^[A-Za-z0-9+/]+$/);
    expect(handshakePem(text)).toBe(identity.certificatePem);
    expect(() => handshakePem('no certificate at all, but longer than fifty letters.')).toThrow();
  });

  it('is accepted by openssl as its own authority', context => {
    const dir = mkdtempSync(join(tmpdir(), 'outpost-cert-'));
    try {
      const file = join(dir, 'c.pem');
      writeFileSync(file, newIdentity({ now: Date.now(), fillRandom }).certificatePem);
      const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', file, file];
      expect(execFileSync('openssl', args, { encoding: 'utf8' })).toBe(`${file}: OK\n`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      context.skip('openssl is not installed');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
