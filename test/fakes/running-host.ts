// A plugin host that runs with real child processes, a sink that remembers, and everything it tells.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PluginHost, type PluginHostOptions } from '../../plugins/host/plugin-host.ts';
import type { PluginSpec } from '../../plugins/host/plugin-spec.ts';
import { systemTools } from '../../plugins/host/process-tools.ts';
import type { HostEvent, SampleSink, SampleSource } from '../../plugins/host/sink.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { newLogger } from '../../src/telemetry/logger.ts';
import { Registry } from '../../src/telemetry/metrics.ts';
import { RecordingSink } from './recording-sink.ts';

/** A host under test. */
export class RunningHost {
  readonly host: PluginHost;
  readonly events: HostEvent[] = [];
  readonly lines: string[] = [];
  readonly socketDir: string;
  readonly #sinks = new Map<string, RecordingSink>();
  readonly #registry = new Registry();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(plugins: readonly PluginSpec[], options: Partial<PluginHostOptions> = {}) {
    this.socketDir = mkdtempSync(join(tmpdir(), 'outpost-host-'));
    const sink: SampleSink = { source: (name): SampleSource => this.sink(name).source() };
    this.host = new PluginHost({
      plugins,
      sink,
      onEvent: event => this.events.push(event),
      clock: systemClock,
      random: () => 0.01,
      logger: newLogger({
        level: 'info',
        format: 'logfmt',
        write: line => this.lines.push(line),
        now: () => 0,
      }),
      registry: this.#registry,
      socketDir: this.socketDir,
      intervalMs: 250,
      // Tests run beside other work, to which plugins would give way.
      processTools: { ...systemTools(), makeModest: () => {} },
      ...options,
    });
    this.#done = this.host.run(this.#stop.signal);
  }

  /** What a plugin delivered. */
  sink(plugin: string): RecordingSink {
    let sink = this.#sinks.get(plugin);
    if (!sink) {
      sink = new RecordingSink();
      this.#sinks.set(plugin, sink);
    }
    return sink;
  }

  /** Names of the events of a plugin, in order. */
  names(plugin?: string): string[] {
    return this.events
      .filter(({ attributes }) => plugin === undefined || attributes['plugin'] === plugin)
      .map(({ name }) => name);
  }

  state(plugin: string): string | undefined {
    return this.host.states().get(plugin);
  }

  pid(plugin: string): number {
    return this.host.list().find(({ name }) => name === plugin)?.pid ?? 0;
  }

  /** A sample of the host's own metrics; NaN where there is none. */
  metric(name: string, labels: Record<string, string>): number {
    const family = this.#registry.gather().find(each => each.name === name)!;
    const wanted = JSON.stringify(Object.entries(labels).sort());
    const sample = family.samples.find(
      each => JSON.stringify(Object.entries(each.labels.toObject()).sort()) === wanted,
    );
    return sample?.value ?? Number.NaN;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    rmSync(this.socketDir, { recursive: true, force: true });
  }
}

/** False once a process is gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
