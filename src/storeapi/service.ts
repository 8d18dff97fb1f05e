// The gRPC methods of StoreAPI and Info with our own serialisers: Buffer in, Buffer out, so that frames
// are neither copied nor turned into objects on the way.

import type { MethodDefinition } from '@grpc/grpc-js';

/** A method whose messages are bytes on both sides. */
export type BytesMethod = MethodDefinition<Buffer, Buffer>;

/** Bytes as the Buffer grpc-js wants, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

/** A method with one request and one response, or a stream of them. */
export function bytesMethod(path: string, responseStream = false): BytesMethod {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const STORE_SERVICE_NAME = 'thanos.Store';
export const INFO_SERVICE_NAME = 'thanos.info.Info';

export const SERIES = bytesMethod('/thanos.Store/Series', true);
export const LABEL_NAMES = bytesMethod('/thanos.Store/LabelNames');
export const LABEL_VALUES = bytesMethod('/thanos.Store/LabelValues');
export const INFO = bytesMethod('/thanos.info.Info/Info');
