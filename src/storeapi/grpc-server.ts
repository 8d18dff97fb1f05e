// The door to a gRPC server: made with limits lifted that peers expect lifted, bound to an address,
// stopped gracefully within bounds.

import {
  type ChannelOptions,
  ServerCredentials as Credentials,
  logVerbosity,
  Server,
  type ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js';
import type { Clock } from '../lifecycle/clock.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import { systemReason } from '../lifecycle/system-error.ts';
import { asBuffer, type BytesMethod } from './service.ts';
import { toStatus } from './status.ts';

export type UnaryAnswer = (request: Buffer, signal: AbortSignal) => Promise<Uint8Array>;

/** One response for each request of a stream in both directions. */
export type ConverseAnswer = (request: Buffer) => Uint8Array;

/** Writes frames until the answer is complete; see `FrameStream`. */
export type StreamAnswer = (request: Buffer, stream: FrameStream) => Promise<void>;

/** The peer's side of a streaming call. */
export interface FrameStream {
  /** Aborts when the peer cancels, its deadline passes or the connection breaks. */
  readonly signal: AbortSignal;
  /** Undefined where the next frame may follow at once, else a promise of that moment. */
  write(frame: Uint8Array): Promise<void> | undefined;
}

/** A server that may not listen yet. */
export interface GrpcServer {
  unary(method: BytesMethod, answer: UnaryAnswer): void;
  stream(method: BytesMethod, answer: StreamAnswer): void;
  converse(method: BytesMethod, answer: ConverseAnswer): void;
  /** Full names of the services that have methods. */
  services(): readonly string[];
  /** Listens on `host:port` or `unix:/path`; returns the port, 0 for a socket file. */
  bind(address: string, credentials?: ServerCredentials): Promise<number>;
  /** Lets open calls end for `graceMs`, then breaks them off. */
  stop(graceMs: number): Promise<void>;
}

const DEFAULT_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** A server without services. `options` are grpc-js channel options, keepalive for instance. */
export function newGrpcServer(clock: Clock, options: ChannelOptions = {}): GrpcServer {
  // The library writes to standard error what its callbacks report as well.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({ ...DEFAULT_OPTIONS, ...options });
  const services = new Set<string>();
  const register = (method: BytesMethod): string => {
    const [, service = '', name = ''] = method.path.split('/');
    services.add(service);
    return name;
  };
  return {
    unary(method, answer) {
      const name = register(method);
      server.addService({ [name]: method }, { [name]: unaryHandler(answer) });
    },
    stream(method, answer) {
      const name = register(method);
      server.addService({ [name]: method }, { [name]: streamHandler(answer) });
    },
    converse(method, answer) {
      const name = register(method);
      const definition = { ...method, requestStream: true, responseStream: true };
      server.addService({ [name]: definition }, { [name]: converseHandler(answer) });
    },
    services: () => [...services],
    bind: (address, credentials = Credentials.createInsecure()) =>
      bind(server, address, credentials),
    stop: graceMs => stop(server, clock, graceMs),
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, port) => {
      // grpc-js reports port 1 for a socket file.
      if (!cause) return resolve(address.startsWith('unix:') ? 0 : port);
      const text = `listen for gRPC on ${address}: ${systemReason(cause)}`;
      reject(new OutpostError('unavailable', text, { cause }));
    });
  });
}

function stop(server: Server, clock: Clock, graceMs: number): Promise<void> {
  return new Promise(resolve => {
    const cancel = clock.after(graceMs, () => server.forceShutdown());
    server.tryShutdown(() => {
      cancel();
      resolve();
    });
    if (graceMs <= 0) server.forceShutdown();
  });
}

interface Cancellable {
  on(event: 'cancelled', listener: () => void): unknown;
}

function signalOf(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => {
    controller.abort(new OutpostError('canceled', 'answer call: the peer has cancelled it'));
  });
  return controller.signal;
}

function unaryHandler(answer: UnaryAnswer) {
  return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
    answer(call.request, signalOf(call)).then(
      response => callback(null, asBuffer(response)),
      error => callback(toStatus(error)),
    );
  };
}

function streamHandler(answer: StreamAnswer) {
  return (call: ServerWritableStream<Buffer, Buffer>): void => {
    const stream = new CallStream(call);
    answer(call.request, stream).then(
      () => call.end(),
      error => call.emit('error', toStatus(error)),
    );
  };
}

function converseHandler(answer: ConverseAnswer) {
  return (call: ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('data', (request: Buffer) => {
      try {
        // Requests come one at a time, so the peer's own pace bounds what is queued.
        call.write(asBuffer(answer(request)));
      } catch (error) {
        call.emit('error', toStatus(error));
      }
    });
    call.on('end', () => call.end());
  };
}

class CallStream implements FrameStream {
  readonly signal: AbortSignal;
  readonly #call: ServerWritableStream<Buffer, Buffer>;

  constructor(call: ServerWritableStream<Buffer, Buffer>) {
    this.#call = call;
    this.signal = signalOf(call);
  }

  write(frame: Uint8Array): Promise<void> | undefined {
    if (this.signal.aborted) throw this.signal.reason;
    return this.#call.write(asBuffer(frame)) ? undefined : this.#drained();
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onDrain = (): void => {
        this.signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#call.removeListener('drain', onDrain);
        reject(this.signal.reason);
      };
      this.#call.once('drain', onDrain);
      this.signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
