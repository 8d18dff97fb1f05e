// Runs block jobs in worker threads: one thread a job, started on demand and gone after it, so that its
// memory returns. A worker that crashes or runs out of memory fails its job and nothing else.

import { Worker } from 'node:worker_threads';
import { OutpostError } from '../../lifecycle/errors.ts';
import type { BlockMeta } from '../block/meta.ts';
import { type BlockJob, discardResult, type JobRunner } from './block-job.ts';
import { type JobReply, receiveError } from './job-reply.ts';

const SOURCE_ENTRY = new URL('./job-worker.ts', import.meta.url);
/** The module a worker runs, compiled where this one is. */
const ENTRY = import.meta.url.endsWith('.ts')
  ? SOURCE_ENTRY
  : new URL(SOURCE_ENTRY.href.replace(/\.ts$/, '.js'));

const MIB = 1024 * 1024;
// What a job holds on V8's heap whatever its size, with room for garbage.
const HEAP_BASE_MIB = 64;
// V8 ends the process, not the thread, where a heap cannot even be set up.
const HEAP_LEAST_MIB = 16;
// Symbols, label pairs and postings of an index being written, measured and doubled.
const HEAP_BYTES_A_SERIES = 4096;
// Short-lived objects are few: columns live outside of the heap.
const YOUNG_MIB = 8;

/** How workers are started. */
export interface WorkerJobsOptions {
  /** Heap of one worker in MiB. Default: by the number of series of its job. */
  readonly heapMib?: number;
  /** The module a worker runs, for tests. */
  readonly entry?: URL;
}

/** Starts a worker thread for each job. Aborting ends the thread at once. */
export function workerJobs(options: WorkerJobsOptions = {}): JobRunner {
  return {
    async run(job, { signal }) {
      if (signal?.aborted) throw OutpostError.from(signal.reason);
      const needed = HEAP_BASE_MIB + Math.ceil((job.series * HEAP_BYTES_A_SERIES) / MIB);
      const heapMib = Math.max(HEAP_LEAST_MIB, options.heapMib ?? needed);
      const worker = new Worker(options.entry ?? ENTRY, {
        name: `outpost ${job.kind}`,
        workerData: job,
        resourceLimits: { maxOldGenerationSizeMb: heapMib, maxYoungGenerationSizeMb: YOUNG_MIB },
      });
      try {
        return await outcomeOf(worker, job, heapMib, signal);
      } catch (error) {
        await discardResult(job);
        throw error;
      }
    },
  };
}

/** Settles once the thread is gone. */
function outcomeOf(
  worker: Worker,
  job: BlockJob,
  heapMib: number,
  signal: AbortSignal | undefined,
): Promise<BlockMeta | null> {
  const end = (): void => void worker.terminate();
  return new Promise<BlockMeta | null>((resolve, reject) => {
    let reply: JobReply | null = null;
    let failure: Error | null = null;
    worker.on('message', (message: JobReply) => (reply = message));
    worker.on('error', (error: Error) => (failure = explained(error, job, heapMib)));
    worker.on('exit', code => {
      if (signal?.aborted) reject(OutpostError.from(signal.reason));
      else if (failure) reject(failure);
      else if (!reply) reject(endedEarly(job, code));
      else if (!reply.ok) reject(receiveError(reply.error));
      else resolve(reply.meta);
    });
    signal?.addEventListener('abort', end, { once: true });
  }).finally(() => signal?.removeEventListener('abort', end));
}

function explained(error: Error, { kind, series }: BlockJob, heapMib: number): Error {
  if (!('code' in error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  const limit = `its worker's heap of ${heapMib} MiB is used up by ${series} series`;
  return new OutpostError('limit-exceeded', `${kind} blocks: ${limit}`, { cause: error });
}

function endedEarly({ kind }: BlockJob, code: number): OutpostError {
  return new OutpostError(
    'unavailable',
    `${kind} blocks: the worker ended before its work was done, with exit code ${code}`,
  );
}
