import { Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { grpc as health } from '../../../proto/gen/grpc.health.v1.js';
import { grpc as reflection } from '../../../proto/gen/grpc.reflection.v1.js';
import { ManualClock } from '../../../src/lifecycle/clock.ts';
import { type GrpcServer, newGrpcServer } from '../../../src/storeapi/grpc-server.ts';
import { type Health, serveHealth } from '../../../src/storeapi/health.ts';
import { serveReflection } from '../../../src/storeapi/reflection.ts';
import { serveStore } from '../../../src/storeapi/server.ts';
import { localSource } from '../../../src/storeapi/store-source.ts';
import { MemoryStorage } from '../../fakes/memory-storage.ts';
import { newStorePeer, type StorePeer } from '../../fakes/store-peer.ts';

const { HealthCheckRequest, HealthCheckResponse } = health.health.v1;
const { ServerReflectionRequest, ServerReflectionResponse } = reflection.reflection.v1;
const { NOT_SERVING, SERVICE_UNKNOWN, SERVING } = HealthCheckResponse.ServingStatus;

let server: GrpcServer;
let peer: StorePeer;
let state: Health;
let client: Client;

beforeEach(async () => {
  server = newGrpcServer(new ManualClock());
  serveStore(server, {
    source: localSource(new MemoryStorage()),
    componentType: 'sidecar',
    streams: () => [],
    notReady: () => null,
    monotonic: () => 0,
  });
  state = serveHealth(server);
  serveReflection(server);
  const port = await server.bind('127.0.0.1:0');
  peer = newStorePeer(`127.0.0.1:${port}`);
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});

afterEach(async () => {
  peer.close();
  client.close();
  await server.stop(0);
});

const bytes = (buffer: Buffer): Buffer => buffer;

async function check(service: string): Promise<number> {
  const request = HealthCheckRequest.encode({ service }).finish();
  const reply = await peer.unary('/grpc.health.v1.Health/Check', request);
  return HealthCheckResponse.decode(reply).status;
}

test('the server and its services serve once it is said so', async () => {
  expect(await check('')).toBe(NOT_SERVING);
  state.setServing(true);
  expect(await check('')).toBe(SERVING);
  expect(await check('thanos.Store')).toBe(SERVING);
});

test('the health of a service that is not there is not found', async () => {
  await expect(check('thanos.Rules')).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test('a watcher is told the status now and at each change', async () => {
  const watch = (service: string) =>
    client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      bytes,
      bytes,
      Buffer.from(HealthCheckRequest.encode({ service }).finish()),
    );
  const call = watch('thanos.Store');
  call.on('error', () => {}); // it is cancelled at the end
  const seen: number[] = [];
  let notify = Promise.withResolvers<void>();
  call.on('data', (reply: Buffer) => {
    seen.push(HealthCheckResponse.decode(reply).status);
    notify.resolve();
  });
  await notify.promise;
  notify = Promise.withResolvers<void>();
  state.setServing(true);
  await notify.promise;
  expect(seen).toEqual([NOT_SERVING, SERVING]);
  call.cancel();
  const unknown = watch('nothing');
  unknown.on('error', () => {});
  const [first] = await new Promise<number[]>(resolve =>
    unknown.on('data', (reply: Buffer) => resolve([HealthCheckResponse.decode(reply).status])),
  );
  expect(first).toBe(SERVICE_UNKNOWN);
  unknown.cancel();
});

async function reflect(
  version: string,
  requests: reflection.reflection.v1.ServerReflectionRequest.$Properties[],
) {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const call = client.makeBidiStreamRequest(path, bytes, bytes);
  for (const request of requests) {
    call.write(Buffer.from(ServerReflectionRequest.encode(request).finish()));
  }
  call.end();
  const replies = [];
  for await (const reply of call) replies.push(ServerReflectionResponse.decode(reply as Buffer));
  return replies;
}

test.each(['v1', 'v1alpha'])('reflection %s lists and describes the services', async version => {
  const [list, store, method, file, unknown] = await reflect(version, [
    { listServices: '' },
    { fileContainingSymbol: 'thanos.info.Info' },
    { fileContainingSymbol: 'thanos.Store.Series' },
    { fileByFilename: 'thanos.proto' },
    { fileContainingSymbol: 'nobody.Knows' },
  ]);
  expect(list!.listServicesResponse!.service!.map(({ name }) => name)).toEqual([
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
    'thanos.Store',
    'thanos.info.Info',
  ]);
  // Field 1 of a file descriptor is its name.
  const names = (reply: typeof store) =>
    reply!.fileDescriptorResponse!.fileDescriptorProto!.map(proto =>
      Buffer.from(proto.subarray(2, 2 + proto[1]!)).toString(),
    );
  expect(names(store)).toEqual(['thanos.info.proto', 'thanos.proto', 'google.protobuf.proto']);
  expect(names(method)).toEqual(['thanos.proto', 'google.protobuf.proto']);
  expect(names(file)).toEqual(names(method));
  expect(unknown!.errorResponse!.errorCode).toBe(status.NOT_FOUND);
});
