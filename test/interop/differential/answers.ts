// Two answers of the HTTP API side by side.

/** Relative difference that numbers may have. */
const TOLERANCE = 1e-9;

type Sample = readonly [time: number, value: string];

interface Item {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Sample;
  readonly values?: readonly Sample[];
  readonly histogram?: readonly [number, NativeHistogram];
  readonly histograms?: readonly (readonly [number, NativeHistogram])[];
}

interface NativeHistogram {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

/** What a server answered. */
export interface Answer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

/** Why the answers are not the same, or null. `ordered`: the order of a vector counts. */
export function difference(theirs: Answer, ours: Answer, ordered: boolean): string | null {
  if (theirs.status !== ours.status) {
    return `they answer ${shortly(theirs)}, we ${shortly(ours)}`;
  }
  if (theirs.status !== 'success') {
    if (theirs.errorType === ours.errorType) return null;
    return `they fail with ${shortly(theirs)}, we with ${shortly(ours)}`;
  }
  const [a, b] = [theirs.data!, ours.data!];
  if (a.resultType !== b.resultType) return `they give a ${a.resultType}, we a ${b.resultType}`;
  if (a.resultType === 'scalar' || a.resultType === 'string') {
    return sampleDifference(a.result as Sample, b.result as Sample);
  }
  const inOrder = ordered || a.resultType === 'matrix';
  return itemsDifference(a.result as Item[], b.result as Item[], inOrder);
}

function shortly({ status, errorType, error }: Answer): string {
  return status === 'success' ? 'something' : `${errorType}: ${error?.slice(0, 200)}`;
}

function labelsText(metric: Item['metric']): string {
  return JSON.stringify(Object.entries(metric).sort(([x], [y]) => (x < y ? -1 : 1)));
}

function itemsDifference(
  theirs: readonly Item[],
  ours: readonly Item[],
  ordered: boolean,
): string | null {
  const mine = new Map(ours.map((item, i) => [labelsText(item.metric), { item, i }]));
  if (mine.size !== ours.length) return 'we give a label set twice';
  for (const [i, item] of theirs.entries()) {
    const labels = labelsText(item.metric);
    const found = mine.get(labels);
    if (!found) return `we miss ${labels} ${JSON.stringify(item).slice(0, 300)}`;
    if (ordered && found.i !== i) return `${labels} is number ${i} for them, ${found.i} for us`;
    const problem = itemDifference(item, found.item);
    if (problem) return `${labels}: ${problem}`;
    mine.delete(labels);
  }
  const [extra] = mine.keys();
  return extra === undefined ? null : `they do not have ${extra}`;
}

function itemDifference(theirs: Item, ours: Item): string | null {
  const a = theirs.values ?? (theirs.value ? [theirs.value] : []);
  const b = ours.values ?? (ours.value ? [ours.value] : []);
  if (a.length !== b.length) return `they have ${a.length} values, we ${b.length}`;
  for (const [i, sample] of a.entries()) {
    const problem = sampleDifference(sample, b[i]!);
    if (problem) return problem;
  }
  const ha = theirs.histograms ?? (theirs.histogram ? [theirs.histogram] : []);
  const hb = ours.histograms ?? (ours.histogram ? [ours.histogram] : []);
  if (ha.length !== hb.length) return `they have ${ha.length} histograms, we ${hb.length}`;
  for (const [i, [time, histogram]] of ha.entries()) {
    const [ourTime, our] = hb[i]!;
    if (time !== ourTime) return `their histogram is at ${time}, ours at ${ourTime}`;
    const problem = histogramDifference(histogram, our);
    if (problem) return `at ${time}: ${problem}`;
  }
  return null;
}

function sampleDifference([ta, va]: Sample, [tb, vb]: Sample): string | null {
  if (ta !== tb) return `their time is ${ta}, ours ${tb}`;
  return same(va, vb) ? null : `at ${ta} they say ${va}, we ${vb}`;
}

function histogramDifference(theirs: NativeHistogram, ours: NativeHistogram): string | null {
  for (const field of ['count', 'sum'] as const) {
    if (!same(theirs[field], ours[field])) {
      return `their ${field} is ${theirs[field]}, ours ${ours[field]}`;
    }
  }
  const [a, b] = [theirs.buckets ?? [], ours.buckets ?? []];
  const differs =
    a.length !== b.length ||
    a.some((bucket, i) => bucket.some((part, k) => !same(String(part), String(b[i]![k]))));
  return differs ? `buckets ${JSON.stringify(a)} against ${JSON.stringify(b)}` : null;
}

/** Numbers within the tolerance; texts otherwise. */
function same(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [toNumber(a), toNumber(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  return Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y));
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}
