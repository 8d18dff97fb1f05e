// The entry of a worker thread: does the one job it was started with, answers, and ends. It imports nothing
// but what jobs need, so that it starts fast and takes little memory.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { type BlockJob, runBlockJob } from './block-job.ts';
import { type JobReply, sendError } from './job-reply.ts';

// As nice(1) counts: collection and queries come first, but on a host that is always busy, the job must end
// all the same.
const NICENESS = 5;

giveWay();
parentPort!.postMessage(await reply(workerData as BlockJob));

function giveWay(): void {
  // Elsewhere 0 stands for the whole process, not for the calling thread alone.
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // A sandbox may forbid it; the job is done at the common priority then.
  }
}

async function reply(job: BlockJob): Promise<JobReply> {
  try {
    // Nothing else runs in this thread, so there is nobody to give way to.
    return { ok: true, meta: await runBlockJob(job, { monotonic: () => 0 }) };
  } catch (error) {
    return { ok: false, error: sendError(error) };
  }
}
