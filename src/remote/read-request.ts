// The question of Prometheus' remote read protocol. Fields: prompb/remote.proto, messages ReadRequest,
// Query and LabelMatcher.

import { ProtoReader, ProtoWriter, WIRE_BYTES, WIRE_VARINT } from '../encoding/proto.ts';
import { snappyDecode, snappyEncode } from '../encoding/snappy.ts';
import { Matcher, type MatchType } from '../labels/matcher.ts';
import { OutpostError } from '../lifecycle/errors.ts';

const TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~'];
const RESPONSE_SAMPLES = 0;
const RESPONSE_CHUNKS = 1;
/** More than any client sends; a request is small and read whole. */
const QUERIES_MAX = 1000;
const MATCHERS_MAX = 1000;
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;

/** What is asked for. */
export interface ReadQuery {
  /** Unix ms, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly matchers: readonly Matcher[];
  /** The function around the selector, where the client says. */
  readonly func?: string;
  readonly stepMs?: number;
}

/** How the answer is to come: all samples at once, or chunks in a stream of frames. */
export type ReadForm = 'samples' | 'chunks';

/** A request as it came. */
export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  /** The first form the client names that exists; samples where it names none. */
  readonly form: ReadForm;
}

/** The request's body, compressed: chunks are preferred, samples taken. */
export function encodeReadRequest({ minTime, maxTime, matchers }: ReadQuery): Uint8Array {
  const writer = new ProtoWriter();
  writer.messageField(1, () => {
    writer.int64Field(1, minTime);
    writer.int64Field(2, maxTime);
    for (const { type, name, value } of matchers) {
      writer.messageField(3, () => {
        writer.varintField(1, TYPES.indexOf(type));
        writer.stringField(2, name);
        writer.stringField(3, value);
      });
    }
  });
  writer.varintField(2, RESPONSE_CHUNKS);
  writer.varintField(2, RESPONSE_SAMPLES);
  return snappyEncode(writer.finish());
}

/** Reads a compressed body. Throws `bad-data`, for matchers and forms of answer that do not exist too. */
export function decodeReadRequest(body: Uint8Array): ReadRequest {
  try {
    return requestOf(new ProtoReader(snappyDecode(body, REQUEST_BYTES_MAX)));
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof SyntaxError) {
      throw new OutpostError('bad-data', `read the remote read request: ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  }
}

function requestOf(reader: ProtoReader): ReadRequest {
  const queries: ReadQuery[] = [];
  const forms: number[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_BYTES) {
      queries.push(queryOf(reader.message()));
      if (queries.length > QUERIES_MAX) throw new RangeError(`more than ${QUERIES_MAX} queries`);
    } else if (reader.field === 2 && reader.wireType === WIRE_VARINT) {
      if (forms.length < 16) forms.push(reader.varint());
      else reader.skip();
    } else if (reader.field === 2 && reader.wireType === WIRE_BYTES) {
      const packed = reader.message();
      while (packed.at < packed.end && forms.length < 16) forms.push(packed.varint());
    } else reader.skip();
  }
  return { queries, form: formOf(forms) };
}

function formOf(forms: readonly number[]): ReadForm {
  if (forms.length === 0) return 'samples';
  const known = forms.find(form => form === RESPONSE_SAMPLES || form === RESPONSE_CHUNKS);
  if (known !== undefined) return known === RESPONSE_CHUNKS ? 'chunks' : 'samples';
  const asked = forms.join(', ');
  throw new RangeError(`server does not support any of the requested response types: ${asked}`);
}

function queryOf(reader: ProtoReader): ReadQuery {
  let minTime = 0;
  let maxTime = 0;
  let hints = { func: '', stepMs: 0 };
  const matchers: Matcher[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_VARINT) minTime = reader.int64();
    else if (reader.field === 2 && reader.wireType === WIRE_VARINT) maxTime = reader.int64();
    else if (reader.field === 3 && reader.wireType === WIRE_BYTES) {
      if (matchers.length === MATCHERS_MAX) {
        throw new RangeError(`more than ${MATCHERS_MAX} matchers`);
      }
      matchers.push(matcherOf(reader.message()));
    } else if (reader.field === 4 && reader.wireType === WIRE_BYTES) {
      hints = hintsOf(reader.message());
    } else reader.skip();
  }
  return { minTime, maxTime, matchers, ...hints };
}

function matcherOf(reader: ProtoReader): Matcher {
  let type = 0;
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_VARINT) type = reader.varint();
    else if (reader.field === 2 && reader.wireType === WIRE_BYTES) name = reader.string();
    else if (reader.field === 3 && reader.wireType === WIRE_BYTES) value = reader.string();
    else reader.skip();
  }
  const known = TYPES[type];
  if (!known) throw new RangeError(`there is no matcher type ${type}`);
  return new Matcher(known, name, value);
}

function hintsOf(reader: ProtoReader): { func: string; stepMs: number } {
  let func = '';
  let stepMs = 0;
  while (reader.next()) {
    if (reader.field === 1 && reader.wireType === WIRE_VARINT) stepMs = reader.int64();
    else if (reader.field === 2 && reader.wireType === WIRE_BYTES) func = reader.string();
    else reader.skip();
  }
  return { func, stepMs };
}
