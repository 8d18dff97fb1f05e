// Which of the protocol's messages a request holds.

/** Headers of a request, as far as the protocol looks at them. */
export interface WriteHeaders {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** Remote write 1.0 or 2.0. */
export type WriteVersion = 1 | 2;

const MESSAGES: ReadonlyMap<string, WriteVersion> = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
]);

/** The version, or a sentence for a request that cannot be read: status 415. */
export function negotiate({ contentType, contentEncoding }: WriteHeaders): WriteVersion | string {
  const encoding = (contentEncoding ?? 'snappy').trim().toLowerCase();
  if (encoding !== 'snappy') {
    return `remote write: content encoding ${JSON.stringify(contentEncoding)} is not supported; send snappy (block format)`;
  }
  const [type = '', ...parameters] = (contentType ?? 'application/x-protobuf').split(';');
  const proto = parameters.map(part => /^\s*proto\s*=\s*(\S+)\s*$/.exec(part)?.[1]).find(Boolean);
  const isProtobuf = type.trim().toLowerCase() === 'application/x-protobuf';
  const version = proto === undefined ? 1 : MESSAGES.get(proto);
  if (isProtobuf && version !== undefined) return version;
  const known = [...MESSAGES].map(([message, number]) => `${message} (remote write ${number}.0)`);
  return `remote write: content type ${JSON.stringify(contentType)} is not supported; send application/x-protobuf;proto=${known.join(' or ')}`;
}
