// A host for unit tests: runs a plugin's collectors in the test's own process and shows what they brought
// as text exposition, sorted, so that an expectation can be written down.

import type { Clock } from '../../src/lifecycle/clock.ts';
import { systemClock } from '../../src/lifecycle/clock.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { CollectorConfig } from './configuration.ts';
import { type Roots, SYSTEM_ROOTS } from './files.ts';
import type { FamilyDefinition, Series } from './metrics.ts';
import { type Plugin, PluginRuntime } from './runtime.ts';
import type { CollectorFailure } from './sample-batch.ts';

/** Where and how to run the plugin. */
export interface FakeHostOptions {
  readonly roots?: Partial<Roots>;
  /** By collector name. */
  readonly collectors?: Readonly<Record<string, CollectorConfig>>;
  /** Run these only. */
  readonly only?: readonly string[];
  readonly clock?: Clock;
}

const ANY_TIME = 1_700_000_000_000;

/** Configures a plugin and collects on demand. Throws on a configuration the plugin refuses. */
export class FakeHost {
  readonly #runtime: PluginRuntime;
  readonly #table: PluginRuntime['table'];
  #failures: readonly CollectorFailure[] = [];

  constructor(plugin: Plugin, options: FakeHostOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.#runtime = new PluginRuntime(plugin, { clock, logger: silentLogger });
    this.#table = this.#runtime.table;
    const collectors: Record<string, CollectorConfig> = { ...options.collectors };
    if (options.only) {
      for (const { name } of plugin.collectors) {
        collectors[name] = { ...collectors[name], enabled: options.only.includes(name) };
      }
    }
    const roots = { ...SYSTEM_ROOTS, ...options.roots };
    const problems = this.#runtime.configure({ roots, collectors });
    if (problems.length > 0) {
      throw new Error(problems.map(({ path, message }) => `${path} ${message}`).join('; '));
    }
  }

  /**
   * Collects once and returns the exposition: families by name, series in label order. The collectors' own
   * duration is left out, for it differs from run to run; their success is not.
   */
  async collect(time: number = ANY_TIME): Promise<string> {
    await this.#runtime.collect(time, 0);
    this.#failures = this.#runtime.failures;
    const families = new Map<FamilyDefinition, string[]>();
    for (const [slot, series] of this.#table.series.entries()) {
      if (!series || !this.#table.isCurrent(slot)) continue;
      const family = series.family.definition;
      if (family.name === 'node_scrape_collector_duration_seconds') continue;
      const lines = families.get(family) ?? [];
      lines.push(sampleLine(series, this.#table.values[slot]!));
      families.set(family, lines);
    }
    const names = [...families.keys()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return names.map(family => familyText(family, families.get(family)!)).join('');
  }

  /** What went wrong in the last collection. */
  get failures(): readonly CollectorFailure[] {
    return this.#failures;
  }

  close(): void {
    this.#runtime.close();
  }
}

function familyText(family: FamilyDefinition, lines: readonly string[]): string {
  const type = family.type === 'unknown' ? 'untyped' : family.type;
  return `# TYPE ${family.name} ${type}\n${[...lines].sort().join('\n')}\n`;
}

function sampleLine(series: Series, value: number): string {
  const labels = [...series.labels].map(([name, text]) => `${name}=${JSON.stringify(text)}`);
  const braces = labels.length === 0 ? '' : `{${labels.join(',')}}`;
  return `${series.family.name}${series.family.suffix}${braces} ${valueText(value)}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
