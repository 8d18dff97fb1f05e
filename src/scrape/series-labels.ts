// From the labels a target exposes to those that are stored: the target's own are added, rules applied, limits
// held. Runs once for each new series, not for each sample.

import { type Labels, METRIC_NAME } from '../labels/labels.ts';
import { compileRelabel, type Relabeller } from '../labels/relabel.ts';
import { isLegacyLabelName, isLegacyMetricName } from '../labels/validate.ts';
import { OutpostError } from '../lifecycle/errors.ts';
import type { ScrapeConfig } from './config.ts';

const EXPORTED = 'exported_';

/** What one job does to the labels of one target. */
export class SeriesLabels {
  readonly #target: Labels;
  readonly #config: ScrapeConfig;
  readonly #relabel: Relabeller;

  constructor(target: Labels, config: ScrapeConfig) {
    this.#target = target;
    this.#config = config;
    this.#relabel = compileRelabel(config.metricRelabel);
  }

  /**
   * The stored labels, or null where the rules drop the series. Throws `bad-data` for labels that cannot be
   * stored and `limit-exceeded` for those beyond the job's limits.
   */
  stored(scraped: Labels): Labels | null {
    const merged = this.#config.honorLabels ? this.#target.merge(scraped) : this.#exported(scraped);
    const labels = this.#relabel(merged);
    if (labels === null) return null;
    this.#check(labels);
    return labels;
  }

  /** The target's labels win; what stood in their place is kept under another name. */
  #exported(scraped: Labels): Labels {
    const clashing = [...scraped].filter(([name]) => this.#target.has(name));
    if (clashing.length === 0) return scraped.merge(this.#target);
    let labels = scraped.without(clashing.map(([name]) => name)).merge(this.#target);
    clashing.sort(([a], [b]) => a.length - b.length);
    for (const [name, value] of clashing) {
      let free = EXPORTED + name;
      while (labels.has(free) || scraped.has(free)) free = EXPORTED + free;
      labels = labels.with(free, value);
    }
    return labels;
  }

  #check(labels: Labels): void {
    const name = labels.get(METRIC_NAME);
    if (name === '') throw new OutpostError('bad-data', 'a series without a metric name');
    const isLegacy = this.#config.nameValidation === 'legacy';
    if (isLegacy && !isLegacyMetricName(name)) {
      throw new OutpostError('bad-data', `"${name}" is no metric name of the legacy scheme`);
    }
    const limits = this.#config.limits;
    if (limits.labels > 0 && labels.size > limits.labels) {
      throw over(`label_limit exceeded (metric: ${name}, labels: ${labels.size})`, limits.labels);
    }
    if (!isLegacy && limits.labelNameLength === 0 && limits.labelValueLength === 0) return;
    for (const [label, value] of labels) {
      if (isLegacy && !isLegacyLabelName(label)) {
        throw new OutpostError('bad-data', `"${label}" is no label name of the legacy scheme`);
      }
      if (limits.labelNameLength > 0 && Buffer.byteLength(label) > limits.labelNameLength) {
        throw over(
          `label_name_length_limit exceeded (metric: ${name}, label: ${label})`,
          limits.labelNameLength,
        );
      }
      if (limits.labelValueLength > 0 && Buffer.byteLength(value) > limits.labelValueLength) {
        throw over(
          `label_value_length_limit exceeded (metric: ${name}, label: ${label})`,
          limits.labelValueLength,
        );
      }
    }
  }
}

function over(what: string, limit: number): OutpostError {
  return new OutpostError('limit-exceeded', `${what}: the limit is ${limit}`);
}
