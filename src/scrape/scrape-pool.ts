// One job: its targets as discovery has them now, a loop for each. Targets that stay are not touched when
// others come and go.

import type { TargetGroup } from '../discovery/discoverer.ts';
import { HttpClient } from '../http-client/client.ts';
import type { Labels } from '../labels/labels.ts';
import { compileRelabel, type Relabeller } from '../labels/relabel.ts';
import { aborted } from '../lifecycle/run-group.ts';
import type { ScrapeConfig } from './config.ts';
import { type ScrapeContext, ScrapeLoop } from './scrape-loop.ts';
import { targetsOf } from './target.ts';

/** Dropped targets that are shown where the job sets no limit. */
const DROPPED_SHOWN_MAX = 10_000;

/** The loops of one job. */
export class ScrapePool {
  readonly config: ScrapeConfig;
  readonly #context: ScrapeContext;
  readonly #client: HttpClient;
  readonly #relabel: Relabeller;
  readonly #loops = new Map<string, ScrapeLoop>();
  /** Loops that have stopped and whose series will be ended. */
  readonly #ending = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #dropped: readonly Labels[] = [];
  #droppedCount = 0;
  #problems = '';

  constructor(config: ScrapeConfig, context: ScrapeContext) {
    this.config = config;
    this.#context = context;
    this.#client = new HttpClient(config.http, () => context.clock.now());
    this.#relabel = compileRelabel(config.relabel);
  }

  /** The loops, in the order in which their targets were found. */
  get loops(): readonly ScrapeLoop[] {
    return [...this.#loops.values()];
  }

  /** Labels of targets that relabelling dropped, and how many there are in truth. */
  get dropped(): { readonly labels: readonly Labels[]; readonly count: number } {
    return { labels: this.#dropped, count: this.#droppedCount };
  }

  /** Takes all of the job's groups: starts what is new, stops what is gone. */
  sync(groups: Iterable<TargetGroup>): void {
    if (this.#stop.signal.aborted) return;
    const { active, dropped, problems } = targetsOf(groups, this.config, this.#relabel);
    const { keepDroppedTargets, targets: most } = this.config.limits;
    this.#dropped = dropped.slice(0, keepDroppedTargets || DROPPED_SHOWN_MAX);
    this.#droppedCount = dropped.length;
    this.#tell(problems);
    const wanted = new Set(active.map(({ key }) => key));
    for (const [key, loop] of this.#loops) if (!wanted.has(key)) this.#retire(key, loop);
    const refusal =
      most > 0 && active.length > most
        ? `target_limit exceeded: ${active.length} targets, the limit is ${most}`
        : '';
    for (const target of active) {
      const known = this.#loops.get(target.key);
      const loop = known ?? new ScrapeLoop(target, this.config, this.#client, this.#context);
      loop.refusal = refusal;
      if (known) continue;
      this.#loops.set(target.key, loop);
      loop.start();
    }
    const { metrics } = this.#context;
    metrics.targets.with(this.config.jobName).set(active.length);
    metrics.discovered.with(this.config.jobName).set(active.length + dropped.length);
  }

  /** Stops all loops. Their series are ended later, unless the signal aborts before that. */
  async stop(signal: AbortSignal): Promise<void> {
    const loops = [...this.#loops];
    for (const [key, loop] of loops) this.#retire(key, loop);
    void aborted(signal).then(() => this.#stop.abort());
    await Promise.all(loops.map(([, loop]) => loop.stop()));
    this.#client.close();
    this.#context.metrics.targets.remove(this.config.jobName);
    this.#context.metrics.discovered.remove(this.config.jobName);
  }

  /** Resolves when no series wait for their end. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #retire(key: string, loop: ScrapeLoop): void {
    this.#loops.delete(key);
    const ending = loop
      .stop()
      .then(() => loop.end(this.#stop.signal))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #tell(problems: readonly string[]): void {
    const text = problems.slice(0, 3).join('; ');
    if (problems.length > 0) {
      this.#context.metrics.unusable.with(this.config.jobName).inc(problems.length);
    }
    if (text === this.#problems) return;
    this.#problems = text;
    if (text === '') return;
    this.#context.logger.warn('discovered targets cannot be used', {
      job: this.config.jobName,
      count: problems.length,
      err: text,
    });
  }
}
