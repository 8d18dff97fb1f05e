// gRPC reflection over the descriptors that the generator has embedded, under its present name and the
// older v1alpha that many tools still ask for.

import { status } from '@grpc/grpc-js';
import { descriptors } from '../../proto/gen/descriptors.js';
import { grpc } from '../../proto/gen/grpc.reflection.v1.js';
import type { GrpcServer } from './grpc-server.ts';
import { bytesMethod } from './service.ts';

const { ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;

type Request = grpc.reflection.v1.ServerReflectionRequest;
type Response = grpc.reflection.v1.ServerReflectionResponse.$Properties;

/** Lets tools list and describe what the server has. Add it last: it knows the services by then. */
export function serveReflection(server: GrpcServer): void {
  const answer = (bytes: Buffer): Uint8Array => {
    const request = ServerReflectionRequest.decode(bytes);
    const response = respond(request, server.services());
    const full = { validHost: request.host, originalRequest: request, ...response };
    return ServerReflectionResponse.encode(full).finish();
  };
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    server.converse(bytesMethod(path), answer);
  }
}

function respond(request: Request, services: readonly string[]): Response {
  if (request.listServices != null) {
    const service = services.map(name => ({ name })).sort((a, b) => (a.name < b.name ? -1 : 1));
    return { listServicesResponse: { service } };
  }
  if (request.fileByFilename != null) {
    return files(descriptors.find(({ file }) => file === request.fileByFilename));
  }
  if (request.fileContainingSymbol != null) return files(fileOf(request.fileContainingSymbol));
  if (request.allExtensionNumbersOfType != null) {
    const baseTypeName = request.allExtensionNumbersOfType;
    return { allExtensionNumbersResponse: { baseTypeName, extensionNumber: [] } };
  }
  return files(undefined);
}

type Descriptor = (typeof descriptors)[number];

/** The file that has the symbol, or something the symbol is a part of: a method, a nested type. */
function fileOf(symbol: string): Descriptor | undefined {
  return descriptors.find(({ symbols }) =>
    symbols.some(known => symbol === known || symbol.startsWith(`${known}.`)),
  );
}

/** A file with all it imports, imports first. */
function files(wanted: Descriptor | undefined): Response {
  if (!wanted) {
    return { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: 'not found' } };
  }
  const ordered: Descriptor[] = [];
  const add = (file: Descriptor): void => {
    for (const name of file.imports) {
      const imported = descriptors.find(other => other.file === name);
      if (imported && !ordered.includes(imported)) add(imported);
    }
    ordered.push(file);
  };
  add(wanted);
  // The file asked for comes first, as clients expect.
  const fileDescriptorProto = ordered.reverse().map(({ base64 }) => Buffer.from(base64, 'base64'));
  return { fileDescriptorResponse: { fileDescriptorProto } };
}
