// Asks a running agent for a snapshot of itself, over its admin API.

import { OutpostError } from '../../lifecycle/errors.ts';

const PATH = '/api/v1/admin/tsdb/snapshot';

/** The snapshot's name under `snapshots/` of the agent's data directory. Throws what the agent answers. */
export async function requestSnapshot(
  url: string,
  { skipHead }: { readonly skipHead: boolean },
  signal: AbortSignal,
): Promise<string> {
  const address = `${url.replace(/\/+$/, '')}${PATH}?skip_head=${skipHead}`;
  let answer: unknown;
  try {
    const response = await fetch(address, { method: 'POST', signal });
    answer = await response.json();
  } catch (cause) {
    if (signal.aborted) throw OutpostError.from(signal.reason);
    const reason = cause instanceof Error ? String(cause.cause ?? cause.message) : String(cause);
    throw new OutpostError('unavailable', `ask ${address} for a snapshot: ${reason}`, { cause });
  }
  const { data, error } = (answer ?? {}) as { data?: { name?: unknown }; error?: unknown };
  if (typeof data?.name === 'string') return data.name;
  const reason = typeof error === 'string' ? error : 'the answer has no name';
  throw new OutpostError('unavailable', `ask ${address} for a snapshot: ${reason}`);
}
