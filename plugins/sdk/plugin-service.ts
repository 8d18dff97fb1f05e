// outpost.plugin.v1.Plugin over a runtime.

import {
  type Server,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import type { ConfigProblem, PluginConfig } from './configuration.ts';
import { parseJsonObject, readConfiguration } from './configure-request.ts';
import { description } from './description.ts';
import { writeAttributes, writeEvent } from './event-message.ts';
import type { EventCall } from './event-stream.ts';
import type { Entity } from './features.ts';
import {
  asBuffer,
  type Codec,
  method,
  type ServedMethod,
  StatusError,
  serviceOf,
  statusOf,
  unary,
} from './grpc-method.ts';
import type { PluginRuntime } from './runtime.ts';

const v1 = outpost.plugin.v1;
const SERVICE = '/outpost.plugin.v1.Plugin/';
const OUTCOMES = {
  ok: v1.CollectorProbe.Outcome.OUTCOME_OK,
  'not-applicable': v1.CollectorProbe.Outcome.OUTCOME_NOT_APPLICABLE,
  'missing-permission': v1.CollectorProbe.Outcome.OUTCOME_MISSING_PERMISSION,
  error: v1.CollectorProbe.Outcome.OUTCOME_ERROR,
};
/** Largest part of a capture in one message. */
const BLOB_BYTES = 64 * 1024;

/** Adds the service. `onHost` is told where the broker serves the host, each time it is configured. */
export function addPluginService(
  server: Server,
  runtime: PluginRuntime,
  onHost: (brokerId: number) => void,
): void {
  const collect = {
    path: `${SERVICE}Collect`,
    decode: (bytes: Buffer) => v1.CollectRequest.decode(bytes),
    encode: (bytes: Uint8Array) => bytes,
  };
  const streams = { requestStream: true, responseStream: true };
  const { plugin } = runtime;
  const validating = configuring('Validate', config => runtime.validate(config));
  const applying = configuring('Configure', config => runtime.configure(config), onHost);
  server.addService(
    ...serviceOf({
      describe: unary(shape('Describe', v1.DescribeRequest, v1.DescribeResponse), () =>
        description(plugin),
      ),
      probe: unary(shape('Probe', v1.ConfigureRequest, v1.ProbeResponse), request =>
        answerProbe(runtime, request),
      ),
      validate: validating,
      configure: applying,
      collect: unary(collect, ({ timeMs, definitionSeq }) =>
        runtime.collect(timeMs, definitionSeq),
      ),
      collectStream: method(
        { ...collect, path: `${SERVICE}CollectStream`, ...streams },
        (call: CollectCall) => answerStream(runtime, call),
      ),
      ...(hasEvents(plugin) && {
        streamEvents: method(
          { ...shape('StreamEvents', v1.EventsRequest, v1.EventsResponse), ...streams },
          (call: EventsCall) => answerEvents(runtime, call),
        ),
      }),
      ...(plugin.inventory && {
        inventory: method(
          {
            ...shape('Inventory', v1.InventoryRequest, v1.InventoryUpdate),
            responseStream: true,
          },
          (call: InventoryCall) => answerInventory(runtime, call),
        ),
      }),
      ...(plugin.functions?.length && {
        call: streaming('Call', v1.CallRequest, v1.CallResponse, (request, answer) =>
          runFunction(runtime, request, answer),
        ),
      }),
      ...(plugin.capture && {
        capture: streaming('Capture', v1.CaptureRequest, v1.CaptureResponse, (request, answer) =>
          runCapture(runtime, request, answer),
        ),
      }),
    }),
  );
}

/** Whether a plugin or one of its collectors emits events. */
export function hasEvents({ events, collectors }: PluginRuntime['plugin']): boolean {
  return events !== undefined || collectors.some(collector => collector.events.length > 0);
}

function shape<Request, Response>(
  name: string,
  requests: Codec<never, Request>,
  responses: Codec<Response, unknown>,
) {
  return {
    path: SERVICE + name,
    decode: (bytes: Buffer): Request => requests.decode(bytes),
    encode: (response: Response): Uint8Array => responses.encode(response).finish(),
  };
}

function configuring(
  name: string,
  apply: (config: PluginConfig) => readonly ConfigProblem[],
  onHost: (brokerId: number) => void = () => {},
): ServedMethod {
  const { STATUS_APPLIED, STATUS_REJECTED } = v1.ConfigureResponse.Status;
  return unary(shape(name, v1.ConfigureRequest, v1.ConfigureResponse), request => {
    if (request.hostBrokerId !== 0) onHost(request.hostBrokerId);
    const read = readConfiguration(request);
    const problems = 'problems' in read ? read.problems : apply(read.config);
    return {
      status: problems.length === 0 ? STATUS_APPLIED : STATUS_REJECTED,
      errors: problems.map(({ path, message }) => ({ path, message })),
    };
  });
}

async function answerProbe(
  runtime: PluginRuntime,
  request: outpost.plugin.v1.ConfigureRequest,
): Promise<outpost.plugin.v1.ProbeResponse.$Properties> {
  const read = readConfiguration(request);
  if ('problems' in read)
    throw new StatusError(status.INVALID_ARGUMENT, problemText(read.problems));
  const found = await runtime.probe(read.config);
  return {
    collectors: found.map(({ name, instance, found: { outcome, message } }) => ({
      name,
      instance,
      outcome: OUTCOMES[outcome],
      message: message ?? '',
    })),
  };
}

type CollectCall = ServerDuplexStream<outpost.plugin.v1.CollectRequest, Uint8Array>;

// The runtime makes one collection after the other, so answers keep the order of the requests.
function answerStream(runtime: PluginRuntime, call: CollectCall): void {
  call.on('data', (request: outpost.plugin.v1.CollectRequest) => {
    runtime.collect(request.timeMs, request.definitionSeq).then(
      bytes => call.writable && call.write(bytes),
      error => call.emit('error', statusOf(error)),
    );
  });
  call.on('end', () => call.end());
  // A host that goes away ends its call so; there is nobody left to tell.
  call.on('error', () => {});
}

type EventsCall = ServerDuplexStream<
  outpost.plugin.v1.EventsRequest,
  outpost.plugin.v1.EventsResponse.$Properties
>;

function answerEvents(runtime: PluginRuntime, call: EventsCall): void {
  let events: EventCall | null = null;
  call.on('data', (request: outpost.plugin.v1.EventsRequest) => {
    if (events !== null) {
      runtime.events.acknowledge(events, request.ackedSeq);
      return;
    }
    events = {
      resumeAfter: request.resumeAfter,
      unackedMax: request.unackedMax,
      send: sent => void call.write({ events: sent.map(writeEvent) }),
    };
    runtime.events.open(events);
    runtime.startEvents();
  });
  const end = (): void => {
    if (events !== null) runtime.events.close(events);
  };
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('error', end);
}

type InventoryCall = ServerWritableStream<unknown, outpost.plugin.v1.InventoryUpdate.$Properties>;

function answerInventory(runtime: PluginRuntime, call: InventoryCall): void {
  const end = runtime.inventory.follow(({ present, gone, complete }) => {
    call.write({ present: present.map(writeEntity), gone: [...gone], complete });
  });
  call.on('cancelled', end);
  call.on('error', end);
}

function writeEntity({ id, type, attributes = {} }: Entity) {
  return { id, type, attributes: writeAttributes(attributes) };
}

/** Resolves when more may be sent; rejects once the host has gone away. */
type Answer<Response> = { send(response: Response): Promise<void>; readonly signal: AbortSignal };

/** A method that answers one request with a stream and ends it when `work` does. */
function streaming<Request, Response>(
  name: string,
  requests: Codec<never, Request>,
  responses: Codec<Response, unknown>,
  work: (request: Request, answer: Answer<Response>) => Promise<void>,
): ServedMethod {
  return method(
    { ...shape(name, requests, responses), responseStream: true },
    async (call: ServerWritableStream<Request, Response>) => {
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      call.on('error', () => gone.abort());
      const { signal } = gone;
      const send = async (response: Response): Promise<void> => {
        signal.throwIfAborted();
        if (call.write(response)) return;
        await new Promise<void>(resolve => {
          call.once('drain', resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      };
      try {
        await work(call.request, { send, signal });
        call.end();
      } catch (error) {
        call.emit('error', statusOf(error));
      }
    },
  );
}

async function runFunction(
  runtime: PluginRuntime,
  { function: name, args }: outpost.plugin.v1.CallRequest,
  { send, signal }: Answer<outpost.plugin.v1.CallResponse.$Properties>,
): Promise<void> {
  const wanted = runtime.plugin.functions?.find(each => each.name === name);
  if (!wanted) throw new StatusError(status.NOT_FOUND, `there is no function "${name}"`);
  const written = parseJsonObject(args);
  if (written === null) {
    throw new StatusError(status.INVALID_ARGUMENT, 'the arguments are not a JSON object');
  }
  const prepared = wanted.prepare(written);
  if ('problems' in prepared) {
    const problems = prepared.problems.map(({ option, message }) => ({ path: option, message }));
    throw new StatusError(status.INVALID_ARGUMENT, problemText(problems));
  }
  const context = { ...runtime.context(`function ${name}`), signal };
  await prepared.run(context, {
    row: value => send({ rows: [JSON.stringify(value) ?? 'null'] }),
    // One that nobody waits for; where it cannot be sent, the rows that follow say so.
    progress: part => void send({ progress: part }).catch(() => {}),
  });
}

async function runCapture(
  runtime: PluginRuntime,
  { trigger, bytesMax }: outpost.plugin.v1.CaptureRequest,
  { send, signal }: Answer<outpost.plugin.v1.CaptureResponse.$Properties>,
): Promise<void> {
  let left = bytesMax;
  const context = { ...runtime.context('capture'), trigger, bytesMax, signal };
  await runtime.plugin.capture!(context, async (name, contentType, data) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : asBuffer(data);
    const end = Math.min(bytes.length, left);
    left -= end;
    for (let at = 0; at < end; at += BLOB_BYTES) {
      await send({ name, contentType, data: bytes.subarray(at, Math.min(at + BLOB_BYTES, end)) });
    }
  });
}

function problemText(problems: readonly ConfigProblem[]): string {
  return problems.map(({ path, message }) => `${path} ${message}`.trim()).join('; ');
}
