// What the operating system's error codes mean, in words an operator can act on.

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the address is already in use',
  EADDRNOTAVAIL: 'this host has no such address',
  EAI_AGAIN: 'the name cannot be resolved at the moment',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by the peer',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists and is not a directory',
  EHOSTUNREACH: 'no route to the host',
  EISDIR: 'it is a directory',
  EMFILE: 'too many open files',
  ENETUNREACH: 'the network is unreachable',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'there is no such host',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ETIMEDOUT: 'the connection timed out',
};

/** Words for a system error, which may be quoted within another error's text; else the error's own text. */
export function systemReason(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  const known = typeof code === 'string' ? SENTENCES[code] : undefined;
  return known ?? SENTENCES[/\bE[A-Z_]{3,}\b/.exec(text)?.[0] ?? ''] ?? text;
}
