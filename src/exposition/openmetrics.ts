// OpenMetrics 1.0. Families are named without `_total` and `_info` in their metadata lines; whatever would
// break the format's rules for a type is declared `unknown` instead, and a unit that the name does not end
// in is left out, so that strict readers take every answer.

import { formatOpenMetricsFloat, formatSeconds } from '../encoding/format-float.ts';
import type { MetricType } from '../telemetry/metrics.ts';
import type { Dialect, FamilyHeader } from './dialect.ts';
import { type EscapingScheme, escapeName, escapeValue, metricNameText } from './escaping.ts';

const TYPE_SUFFIX: Partial<Record<MetricType, string>> = { counter: '_total', info: '_info' };

/** OpenMetrics under a scheme. */
export function openMetricsDialect(scheme: EscapingScheme): Dialect {
  return {
    scheme,
    header(family) {
      const { name, type } = familyOf(family);
      const shown = metricNameText(escapeName(name, scheme));
      let lines = '';
      if (family.help !== '') lines += `# HELP ${shown} ${escapeValue(family.help)}\n`;
      lines += `# TYPE ${shown} ${type}\n`;
      if (family.unit && name.endsWith(`_${family.unit}`))
        lines += `# UNIT ${shown} ${family.unit}\n`;
      return lines;
    },
    sampleName(family, suffix) {
      // A counter's creation time belongs to the family, beside the total.
      if (suffix === '_created') return familyOf(family).name + suffix;
      return family.name + suffix;
    },
    value: formatOpenMetricsFloat,
    time: formatSeconds,
    trailer: '# EOF\n',
  };
}

function familyOf({ name, type }: FamilyHeader): { name: string; type: MetricType } {
  const suffix = TYPE_SUFFIX[type];
  if (suffix === undefined) return { name, type };
  if (!name.endsWith(suffix)) return { name, type: 'unknown' };
  return { name: name.slice(0, -suffix.length), type };
}
