// gRPC methods over our own codecs, as grpc-js wants them defined, for both ends of a plugin.

import {
  type MethodDefinition,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';

/** A message type as the generated code has it. */
export interface Codec<In, Out> {
  encode(message: In): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Out;
}

/** An error that reaches the other side with a code of its own. */
export class StatusError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an error becomes on the wire. */
export function statusOf(error: unknown): { readonly code: status; readonly details: string } {
  const code = error instanceof StatusError ? error.code : status.UNKNOWN;
  return { code, details: error instanceof Error ? error.message : String(error) };
}

/** The same bytes as grpc-js wants them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How a method's messages travel. */
export interface MethodShape<Request, Response> {
  readonly path: string;
  readonly decode: (bytes: Buffer) => Request;
  readonly encode: (response: Response) => Uint8Array;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

/** A method with its server side. */
export interface ServedMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handle: UntypedHandleCall;
}

/** Defines a method of any shape; `handle` is what grpc-js calls. */
export function method<Request, Response>(
  shape: MethodShape<Request, Response>,
  handle: UntypedHandleCall,
): ServedMethod {
  const { path, decode, encode, requestStream = false, responseStream = false } = shape;
  const definition: MethodDefinition<Request, Response> = {
    path,
    requestStream,
    responseStream,
    requestDeserialize: decode,
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: response => asBuffer(encode(response)),
    responseDeserialize: () => {
      throw new Error(`BUG: ${path} is only served here`);
    },
  };
  return { definition: definition as MethodDefinition<unknown, unknown>, handle };
}

/** A method with one request and one answer. */
export function unary<Request, Response>(
  shape: MethodShape<Request, Response>,
  answer: (request: Request) => Response | Promise<Response>,
): ServedMethod {
  return method(
    shape,
    async (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      try {
        callback(null, await answer(call.request));
      } catch (error) {
        callback(statusOf(error));
      }
    },
  );
}

/** Methods as `Server.addService` takes them: the definitions, and what serves each. */
export function serviceOf(
  methods: Readonly<Record<string, ServedMethod>>,
): [Record<string, MethodDefinition<unknown, unknown>>, Record<string, UntypedHandleCall>] {
  const entries = Object.entries(methods);
  return [
    Object.fromEntries(entries.map(([name, { definition }]) => [name, definition])),
    Object.fromEntries(entries.map(([name, { handle }]) => [name, handle])),
  ];
}
