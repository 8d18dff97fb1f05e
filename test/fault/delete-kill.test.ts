// kill -9 right after a deletion was acknowledged, and in the middle of cleaning: what was deleted stays
// deleted, and nothing else is lost. OUTPOST_KILL_ROUNDS asks for more rounds than the default.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { contents, openTestDb } from '../fakes/test-db.ts';

const ROUNDS = Math.ceil(Number(process.env['OUTPOST_KILL_ROUNDS'] ?? 20) / 2);
const DELETER = fileURLToPath(new URL('./database-deleter.ts', import.meta.url));
const SERIES = 10;
const RUN_MS_MAX = 900;

/** Runs the process until it has acknowledged `deletions` or for a while, kills it; what it acknowledged. */
async function runAndKill(dir: string, deletions: number, runMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [DELETER, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let timer: ReturnType<typeof setTimeout> | null = null;
  child.stdout.on('data', chunk => {
    stdout += chunk;
    timer ??= setTimeout(() => child.kill('SIGKILL'), runMs);
    if (stdout.split('deleted').length > deletions) child.kill('SIGKILL');
  });
  child.stderr.on('data', chunk => (stderr += chunk));
  const [, signal] = await once(child, 'close');
  if (timer) clearTimeout(timer);
  expect(stderr).toBe('');
  expect(signal).toBe('SIGKILL');
  const lines = stdout.split('\n');
  lines.pop(); // the last line may be cut short
  return lines.filter(line => line !== 'ready');
}

/** What must be there and what must not, by series: times. */
class Ledger {
  readonly present = Array.from({ length: SERIES }, () => new Set<number>());
  readonly absent = Array.from({ length: SERIES }, () => new Set<number>());

  take(line: string): void {
    const [what, ...numbers] = line.split(' ');
    const [first, from, to] = numbers.map(Number) as [number, number, number];
    if (what === 'written') for (const times of this.present) times.add(first);
    else {
      for (const time of this.present[first]!) {
        if (time < from || time > to) continue;
        this.present[first]!.delete(time);
        this.absent[first]!.add(time);
      }
    }
  }
}

test(`deletions outlive ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 30_000 }, async () => {
  const dir = temporaryDirectory();
  const ledger = new Ledger();
  let state = 4711;
  let deletions = 0;
  let blocksSeen = 0;
  for (let round = 0; round < ROUNDS; round++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const share = (state >>> 8) / 2 ** 24;
    // Every other round ends with the acknowledgement of a deletion, as far as the pipe lets know.
    const until = round % 2 === 0 ? 1 + Math.floor(share * 20) : Number.POSITIVE_INFINITY;
    const lines = await runAndKill(dir, until, round % 2 === 0 ? 20_000 : share * RUN_MS_MAX);
    for (const line of lines) ledger.take(line);
    deletions += lines.filter(line => line.startsWith('deleted')).length;
    const db = await openTestDb(dir, {
      blockRangeMs: 60_000,
      compactedRangeMaxMs: 540_000,
      retentionMs: 0,
      futureMs: 1e12,
      outOfOrderMs: 0,
    });
    expect(db.replay.damages, `round ${round}`).toBe(0);
    blocksSeen += db.blocks.length;
    if (round % 3 === 2) await db.cleanTombstones();
    const stored = await contents(db);
    for (let s = 0; s < SERIES; s++) {
      const texts = stored.get(`written{s="${s}"}`) ?? [];
      const times = new Set(texts.map(text => Number(text.split(':')[0])));
      const lost = [...ledger.present[s]!].filter(time => !times.has(time));
      const back = [...ledger.absent[s]!].filter(time => times.has(time));
      // A deletion that was not acknowledged any more may have happened: then its samples are gone.
      expect(back, `round ${round}: series ${s} has again what was deleted`).toEqual([]);
      if (lost.length > 0) {
        const span = Math.max(...lost) - Math.min(...lost);
        expect(span, `round ${round}: series ${s} has lost ${lost}`).toBeLessThanOrEqual(30_000);
        for (const time of lost) {
          ledger.present[s]!.delete(time);
          ledger.absent[s]!.add(time);
        }
      }
    }
    await db.close();
  }
  expect(deletions).toBeGreaterThan(ROUNDS);
  expect(blocksSeen).toBeGreaterThan(0);
});
