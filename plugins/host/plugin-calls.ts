// Functions and captures of plugins, each with a deadline and bounds.

import { OutpostError } from '../../src/lifecycle/errors.ts';
import type { PluginConnection } from './connection.ts';
import type { StreamLimits } from './server-stream.ts';

/** What a function answered. */
export interface CallResult {
  /** JSON values, in the order in which they came. */
  readonly rows: readonly unknown[];
}

/** A file of a plugin's part of a snapshot. */
export interface CapturedBlob {
  readonly name: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  /** Whether it was cut off. */
  readonly truncated: boolean;
}

const ROWS_MAX = 100_000;
const BLOBS_MAX = 1_000;
const NAME_LENGTH_MAX = 200;

/**
 * Runs a function to its end. Rejects with the plugin's error, with `limit-exceeded` beyond the bytes, with
 * `corrupt` where a row is no JSON.
 */
export async function callFunction(
  connection: PluginConnection,
  call: { readonly name: string; readonly args: Readonly<Record<string, unknown>> },
  limits: StreamLimits & { readonly onProgress?: (part: number) => void },
): Promise<CallResult> {
  const rows: unknown[] = [];
  const args = JSON.stringify(call.args);
  for await (const answer of connection.callFunction(call.name, args, limits)) {
    for (const row of answer.rows) rows.push(parseRow(call.name, row));
    if (rows.length > ROWS_MAX) {
      throw new OutpostError('limit-exceeded', `call ${call.name}: more than ${ROWS_MAX} rows`);
    }
    if (answer.rows.length === 0) limits.onProgress?.(Math.min(1, Math.max(0, answer.progress)));
  }
  return { rows };
}

/** Asks for a plugin's part of a snapshot. What came before an error or a limit is kept. */
export async function captureBlobs(
  connection: PluginConnection,
  trigger: string,
  limits: StreamLimits,
): Promise<{ readonly blobs: readonly CapturedBlob[]; readonly problem: string | null }> {
  const parts = new Map<string, { contentType: string; chunks: Uint8Array[] }>();
  let left = limits.bytesMax;
  let cut = '';
  let problem: string | null = null;
  try {
    for await (const { name, contentType, data } of connection.capture(trigger, limits)) {
      const key = safeName(name);
      const part = parts.get(key) ?? { contentType: contentType.slice(0, 100), chunks: [] };
      if (!parts.has(key) && parts.size >= BLOBS_MAX) {
        throw new OutpostError('limit-exceeded', `capture: more than ${BLOBS_MAX} files`);
      }
      parts.set(key, part);
      part.chunks.push(data.slice(0, left));
      if (data.length > left) {
        cut = key;
        problem = `more than ${limits.bytesMax} bytes`;
        break;
      }
      left -= data.length;
    }
  } catch (error) {
    problem = OutpostError.from(error).message;
  }
  const blobs = [...parts].map(([name, { contentType, chunks }]) => ({
    name,
    contentType,
    data: Buffer.concat(chunks),
    truncated: name === cut,
  }));
  return { blobs, problem };
}

function parseRow(name: string, row: string): unknown {
  try {
    return JSON.parse(row);
  } catch (cause) {
    throw new OutpostError('corrupt', `call ${name}: a row is no JSON: ${row.slice(0, 100)}`, {
      cause,
    });
  }
}

/** A name that stays in the folder it is put into. */
function safeName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '_');
  return plain.slice(0, NAME_LENGTH_MAX) || '_';
}
