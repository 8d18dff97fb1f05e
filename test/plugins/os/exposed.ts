// A text exposition as families, for comparing two.

/** A family's type and its samples by labels, sorted by name. */
export interface Exposed {
  readonly type: string;
  readonly samples: Record<string, number>;
}

/** Families by name; samples of histograms and summaries are with the family, under their whole name. */
export function parseExposed(text: string): Map<string, Exposed> {
  const families = new Map<string, Exposed>();
  let last = '';
  for (const line of text.split('\n')) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared) {
      families.set(declared, { type: type!, samples: {} });
      last = declared;
    }
    const [, name, labels, value] = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const suffix = families.has(name) ? '' : name.slice(last.length);
    const family = families.get(suffix === '' ? name : last);
    family!.samples[suffix + canonical(labels ?? '')] = Number(value);
  }
  return families;
}

// An empty label is no label: Prometheus drops it when it scrapes, and we never make it. Labels have no
// order, either.
function canonical(labels: string): string {
  const pairs = labels.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? [];
  const set = pairs.filter(pair => !pair.endsWith('=""')).sort();
  return set.length === 0 ? '' : `{${set.join(',')}}`;
}
