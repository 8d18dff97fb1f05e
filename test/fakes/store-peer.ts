// A StoreAPI client that knows nothing of ours: generated codecs over a bare gRPC client, so that what a
// server really puts on the wire can be looked at.

import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { thanos as info } from '../../proto/gen/thanos.info.js';
import { thanos } from '../../proto/gen/thanos.js';

const bytes = (buffer: Buffer): Buffer => buffer;

export type Frame = thanos.SeriesResponse;

export interface StorePeer {
  series(request: thanos.SeriesRequest.$Properties): Promise<Frame[]>;
  labelNames(request: thanos.LabelNamesRequest.$Properties): Promise<thanos.LabelNamesResponse>;
  labelValues(request: thanos.LabelValuesRequest.$Properties): Promise<thanos.LabelValuesResponse>;
  info(): Promise<info.info.InfoResponse>;
  /** The bytes a method answers with. */
  unary(path: string, request: Uint8Array): Promise<Buffer>;
  client: Client;
  close(): void;
}

/** Rejections are grpc-js' ServiceError. */
export function newStorePeer(address: string): StorePeer {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  const unary = (path: string, request: Uint8Array): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, bytes, bytes, Buffer.from(request), (error, reply) =>
        error ? reject(error) : resolve(reply!),
      );
    });
  return {
    client,
    unary,
    async series(request) {
      const message = Buffer.from(thanos.SeriesRequest.encode(request).finish());
      const call = client.makeServerStreamRequest('/thanos.Store/Series', bytes, bytes, message);
      const frames: Frame[] = [];
      return new Promise((resolve, reject) => {
        call.on('data', (frame: Buffer) => frames.push(thanos.SeriesResponse.decode(frame)));
        call.on('error', (error: ServiceError) => reject(error));
        call.on('end', () => resolve(frames));
      });
    },
    labelNames: async request =>
      thanos.LabelNamesResponse.decode(
        await unary('/thanos.Store/LabelNames', thanos.LabelNamesRequest.encode(request).finish()),
      ),
    labelValues: async request =>
      thanos.LabelValuesResponse.decode(
        await unary(
          '/thanos.Store/LabelValues',
          thanos.LabelValuesRequest.encode(request).finish(),
        ),
      ),
    info: async () =>
      info.info.InfoResponse.decode(await unary('/thanos.info.Info/Info', new Uint8Array(0))),
    close: () => client.close(),
  };
}
