// The methods of a plugin that the host calls, with our own codecs.

import { grpc as healthProto } from '../../proto/gen/grpc.health.v1.js';
import { outpost } from '../../proto/gen/outpost.plugin.v1.js';
import { plugin as control } from '../../proto/gen/plugin.js';

const v1 = outpost.plugin.v1;
const { HealthCheckRequest, HealthCheckResponse } = healthProto.health.v1;
const PLUGIN = '/outpost.plugin.v1.Plugin';

/** A method and how its messages travel. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly encode: (request: Request) => Uint8Array;
  readonly decode: (bytes: Buffer) => Response;
}

/** What a plugin says about itself. */
export type Description = outpost.plugin.v1.DescribeResponse;
/** What a plugin is told. */
export type Configuration = outpost.plugin.v1.ConfigureRequest.$Properties;

export const DESCRIBE: Method<outpost.plugin.v1.DescribeRequest.$Properties, Description> = {
  path: `${PLUGIN}/Describe`,
  encode: request => v1.DescribeRequest.encode(request).finish(),
  decode: bytes => v1.DescribeResponse.decode(bytes),
};

export const CONFIGURE: Method<Configuration, outpost.plugin.v1.ConfigureResponse> = {
  path: `${PLUGIN}/Configure`,
  encode: request => v1.ConfigureRequest.encode(request).finish(),
  decode: bytes => v1.ConfigureResponse.decode(bytes),
};

export const VALIDATE: typeof CONFIGURE = { ...CONFIGURE, path: `${PLUGIN}/Validate` };

export const PROBE: Method<Configuration, outpost.plugin.v1.ProbeResponse> = {
  path: `${PLUGIN}/Probe`,
  encode: CONFIGURE.encode,
  decode: bytes => v1.ProbeResponse.decode(bytes),
};

export const COLLECT: Method<outpost.plugin.v1.CollectRequest.$Properties, Uint8Array> = {
  path: `${PLUGIN}/Collect`,
  encode: request => v1.CollectRequest.encode(request).finish(),
  decode: bytes => bytes,
};

/** The answers stay bytes: they are read into columns. */
export const STREAM_METRICS: Method<
  outpost.plugin.v1.StreamMetricsRequest.$Properties,
  Uint8Array
> = {
  path: `${PLUGIN}/StreamMetrics`,
  encode: request => v1.StreamMetricsRequest.encode(request).finish(),
  decode: bytes => bytes,
};

export const STREAM_EVENTS: Method<
  outpost.plugin.v1.EventsRequest.$Properties,
  outpost.plugin.v1.EventsResponse
> = {
  path: `${PLUGIN}/StreamEvents`,
  encode: request => v1.EventsRequest.encode(request).finish(),
  decode: bytes => v1.EventsResponse.decode(bytes),
};

export const INVENTORY: Method<
  outpost.plugin.v1.InventoryRequest.$Properties,
  outpost.plugin.v1.InventoryUpdate
> = {
  path: `${PLUGIN}/Inventory`,
  encode: request => v1.InventoryRequest.encode(request).finish(),
  decode: bytes => v1.InventoryUpdate.decode(bytes),
};

export const CALL: Method<
  outpost.plugin.v1.CallRequest.$Properties,
  outpost.plugin.v1.CallResponse
> = {
  path: `${PLUGIN}/Call`,
  encode: request => v1.CallRequest.encode(request).finish(),
  decode: bytes => v1.CallResponse.decode(bytes),
};

export const CAPTURE: Method<
  outpost.plugin.v1.CaptureRequest.$Properties,
  outpost.plugin.v1.CaptureResponse
> = {
  path: `${PLUGIN}/Capture`,
  encode: request => v1.CaptureRequest.encode(request).finish(),
  decode: bytes => v1.CaptureResponse.decode(bytes),
};

export const CHECK: Method<
  healthProto.health.v1.HealthCheckRequest.$Properties,
  healthProto.health.v1.HealthCheckResponse
> = {
  path: '/grpc.health.v1.Health/Check',
  encode: request => HealthCheckRequest.encode(request).finish(),
  decode: bytes => HealthCheckResponse.decode(bytes),
};

export const SHUTDOWN: Method<control.Empty.$Properties, unknown> = {
  path: '/plugin.GRPCController/Shutdown',
  encode: request => control.Empty.encode(request).finish(),
  decode: bytes => bytes,
};

export const BROKER: Method<control.ConnInfo.$Properties, control.ConnInfo> = {
  path: '/plugin.GRPCBroker/StartStream',
  encode: request => control.ConnInfo.encode(request).finish(),
  decode: bytes => control.ConnInfo.decode(bytes),
};

/** google.protobuf.Empty has no bytes. */
export const STDIO: Method<unknown, control.StdioData> = {
  path: '/plugin.GRPCStdio/StreamStdio',
  encode: () => new Uint8Array(0),
  decode: bytes => control.StdioData.decode(bytes),
};
